"""botocore's refreshable token, which botocore's own HTTP session gets: one session, as its clients have it."""

import json
import os
from datetime import datetime, timedelta, timezone

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.tokens import DeferredRefreshableToken, FrozenAuthToken


def ways():
    session = URLLib3Session(verify=os.environ["SSL_CERT_FILE"])
    body = json.dumps(
        {
            "client_id": os.environ["CLAZAR_CLIENT_ID"],
            "client_secret": os.environ["CLAZAR_CLIENT_SECRET"],
        }
    )
    headers = {"Content-Type": "application/json"}

    def request() -> FrozenAuthToken:
        post = AWSRequest("POST", os.environ["CLAZAR_AUTH_URL"], headers, body).prepare()
        answer = json.loads(session.send(post).content)
        expiry = datetime.now(timezone.utc) + timedelta(seconds=answer["expires_in"])
        return FrozenAuthToken(answer["access_token"], expiration=expiry)

    # It asks at most once a minute, and the measures are shorter: so its clock is a minute slow until it has a token.
    def time() -> datetime:
        late = timedelta(minutes=1) if token._frozen_token is None else timedelta()
        return datetime.now(timezone.utc) - late

    token = DeferredRefreshableToken("benchmark", request, time)

    def authorization() -> str:
        return f"Bearer {token.get_frozen_token().token}"

    return {"authorization": authorization, "request": request}
