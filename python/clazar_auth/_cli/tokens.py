"""The commands token, header, status and logout."""

from __future__ import annotations

import os
from argparse import Namespace

from clazar_auth import ConfigurationError, TokenProvider
from clazar_auth._cli import DONE
from clazar_auth._cli.output import complain, say, say_json
from clazar_auth._cli.waiting import wait_for


def store_of(arguments: Namespace) -> str | None:
    """Where the commands keep the token: in a file, unless CLAZAR_STORE tells (None)."""
    if arguments.no_store:
        return "memory"
    return None if os.environ.get("CLAZAR_STORE") else "file"


def provider_of(arguments: Namespace) -> TokenProvider:
    """The provider of the environment, without a store if the secret is too short for the file."""
    store = store_of(arguments)
    try:
        return TokenProvider.from_env(store=store)
    except ConfigurationError as error:
        if store != "file":
            raise
        provider = TokenProvider.from_env(store="memory")  # Raises what is not the store's fault.
        complain(f"going on without a store: {error}")
        return provider


def token(arguments: Namespace) -> int:
    with provider_of(arguments) as provider:
        token = wait_for(provider.token)
        if arguments.json:
            say_json(
                access_token=token.value,
                token_type=token.token_type,
                expires_in=int(token.expires_in),
                expires_at=token.expires_at.isoformat(timespec="seconds"),
            )
        else:
            say(token.value)
        provider._wait_until_stored()
    return DONE


def header(arguments: Namespace) -> int:
    with provider_of(arguments) as provider:
        headers = wait_for(provider.headers)
        if arguments.json:
            say_json(**headers)
        else:
            say(f"Authorization: {headers['Authorization']}")
        provider._wait_until_stored()
    return DONE


def status(arguments: Namespace) -> int:
    with provider_of(arguments) as provider:
        token, store = wait_for(provider._stored)
        if arguments.json:
            say_json(
                store=store,
                fingerprint=token and token.fingerprint,
                expires_in=token and int(token.expires_in),
                expires_at=token and token.expires_at.isoformat(timespec="seconds"),
            )
        elif token:
            say(f"store: {store}")
            say(f"token: {token.fingerprint} (the start of its SHA-256 hash)")
            say(f"valid: {int(token.expires_in)} s, until {token.expires_at:%Y-%m-%d %H:%M:%S} UTC")
        else:
            say(f"store: {store}")
            say("token: none")
    return DONE


def logout(arguments: Namespace) -> int:
    with provider_of(arguments) as provider:
        wait_for(provider._forget)
    return DONE
