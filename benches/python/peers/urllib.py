"""The same with the standard library; the roots are read once. No token is kept."""

import json
import os
import ssl
import urllib.request


def ways():
    context = ssl.create_default_context()
    body = json.dumps(
        {
            "client_id": os.environ["CLAZAR_CLIENT_ID"],
            "client_secret": os.environ["CLAZAR_CLIENT_SECRET"],
        }
    ).encode()
    request = urllib.request.Request(
        os.environ["CLAZAR_AUTH_URL"], body, {"Content-Type": "application/json"}
    )

    def authorization() -> str:
        with urllib.request.urlopen(request, context=context) as response:
            return f"Bearer {json.load(response)['access_token']}"

    return {"authorization": authorization, "request": authorization}
