"""google-auth with a refresh token, and requests for its transport."""

import os

from google.auth.transport import requests
from google.oauth2 import credentials


def ways():
    user = credentials.Credentials(
        None,
        refresh_token="not-a-real-refresh-token",
        token_uri=os.environ["CLAZAR_AUTH_URL"],
        client_id=os.environ["CLAZAR_CLIENT_ID"],
        client_secret=os.environ["CLAZAR_CLIENT_SECRET"],
    )
    transport = requests.Request()

    def authorization() -> str:
        headers: dict[str, str] = {}
        user.before_request(transport, "GET", "https://api.clazar.io/listings/", headers)
        return headers["authorization"]

    return {"authorization": authorization, "request": lambda: user.refresh(transport)}
