"""This project."""

import clazar_auth


def ways():
    provider = clazar_auth.TokenProvider.from_env()
    return {
        "authorization": provider.authorization,
        "headers": provider.headers,
        "token": provider.token,
        "request": provider.refresh,
    }
