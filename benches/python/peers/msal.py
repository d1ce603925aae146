"""msal's confidential client, with the server for an authority; it asks that for its endpoints once."""

import os

import msal


def ways():
    client = msal.ConfidentialClientApplication(
        os.environ["CLAZAR_CLIENT_ID"],
        os.environ["CLAZAR_CLIENT_SECRET"],
        oidc_authority=os.environ["CLAZAR_AUTH_URL"].rstrip("/"),
    )
    scopes = ["https://www.example.com/.default"]

    def authorization() -> str:
        return f"Bearer {client.acquire_token_for_client(scopes)['access_token']}"

    def request() -> None:
        client.remove_tokens_for_client()
        authorization()

    return {"authorization": authorization, "request": request}
