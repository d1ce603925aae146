"""Authlib's session for client credentials, and its auth object that each request goes through."""

import os

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest


def ways():
    url = os.environ["CLAZAR_AUTH_URL"]
    session = OAuth2Session(
        os.environ["CLAZAR_CLIENT_ID"],
        os.environ["CLAZAR_CLIENT_SECRET"],
        token_endpoint=url,
        token_endpoint_auth_method="client_secret_post",
        grant_type="client_credentials",
    )
    prepared = PreparedRequest()
    prepared.prepare("GET", "https://api.clazar.io/listings/")

    def request() -> object:
        return session.fetch_token(url)

    def authorization() -> str:
        if session.token is None:
            request()
        session.token_auth(prepared)
        return prepared.headers["Authorization"]

    return {"authorization": authorization, "request": request}
