"""The snippet of the API's documentation: a post, and no token is kept."""

import os

import requests


def ways():
    url = os.environ["CLAZAR_AUTH_URL"]
    payload = {
        "client_id": os.environ["CLAZAR_CLIENT_ID"],
        "client_secret": os.environ["CLAZAR_CLIENT_SECRET"],
    }
    headers = {"accept": "application/json", "content-type": "application/json"}

    def authorization() -> str:
        response = requests.post(url, json=payload, headers=headers)
        response.raise_for_status()
        return f"Bearer {response.json()['access_token']}"

    return {"authorization": authorization, "request": authorization}
