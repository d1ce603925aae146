"""The commands token, header, status and logout."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import Any

from clazar_auth import AccessToken, ClazarAuthError, ConfigurationError, TokenProvider
from clazar_auth._cli import DONE
from clazar_auth._cli.output import complain, say, say_json
from clazar_auth._cli.waiting import is_watched, wait_for


def store_of(arguments: Namespace) -> str | None:
    """Where somebody asked for the token to be kept."""
    if arguments.store is not None:
        return str(arguments.store)
    return os.environ.get("CLAZAR_STORE") or None


@contextmanager
def provider_of(arguments: Namespace) -> Iterator[TokenProvider]:
    """The provider, with a file as its store if nobody asked for another; what was wrong with the
    store is told in the end, once."""
    from clazar_auth._log import logger

    store = store_of(arguments)
    make = partial(
        TokenProvider.from_env,
        client_secret_file=arguments.client_secret_file,
        auth_url=arguments.auth_url,
    )
    troubles: list[str] = []

    def heed(record: Any) -> bool:
        if record.clazar_event == "store_error":
            troubles.append(record.getMessage())
        return False

    logger.addFilter(heed)
    try:
        try:
            provider = make(store="file" if store is None else store)
        except ConfigurationError as error:
            if store is not None:
                raise
            provider = make(store="memory")  # Raises what is not the store's fault.
            complain(f"going on without a store: {error}")
        with provider:
            yield provider
    finally:
        for trouble in troubles[:1]:
            complain(f"going on without a store: {trouble}")


def token_of(provider: TokenProvider) -> AccessToken:
    """A valid token. Somebody at the terminal may have mended what was refused for good before."""
    try:
        return wait_for(provider.token)
    except ClazarAuthError as error:
        is_remembered = error.http_status is not None and not any(provider.stats().empty)
        if not is_remembered:
            raise
        if is_watched() and not error.retryable:
            return wait_for(provider.refresh)
        when = f"in {ceil(error.retry_after or 0)} s, or after `clazar-auth logout`"
        raise type(error)(f"{error}; the next token request is possible {when}") from None


def token(arguments: Namespace) -> int:
    with provider_of(arguments) as provider:
        token = token_of(provider)
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
        authorization = token_of(provider).authorization
        if arguments.json:
            say_json(Authorization=authorization)
        else:
            say(f"Authorization: {authorization}")
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
