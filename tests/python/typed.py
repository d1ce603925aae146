"""What type checkers are to infer: mypy and pyright check this file, and a test runs it."""

from __future__ import annotations

import asyncio
from datetime import datetime

import aiohttp
import httpx
import requests
from typing_extensions import assert_type

import clazar_auth
from clazar_auth import AccessToken, Requests, Stats, TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox, StaticProvider


def main() -> None:
    with Sandbox(lifetime=3600, delay=0.0) as sandbox, sandbox.provider(timeout=5) as provider:
        assert_type(sandbox, Sandbox)
        assert_type(provider, TokenProvider)
        assert_type(provider.authorization(), str)
        assert_type(provider.headers(), dict[str, str])
        token = provider.token(timeout=1.5)
        assert_type(token, AccessToken)
        assert_type(token.value, str)
        assert_type(token.expires_at, datetime)
        assert_type(token.expires_in, float)
        assert_type(token.expired, bool)
        assert_type(provider.peek(), AccessToken | None)
        assert_type(provider.refresh(), AccessToken)
        assert_type(provider.stats(), Stats)
        assert_type(provider.stats().empty, Requests)
        assert_type(provider.stats().backoff, float | None)
        assert_type(provider.seal(), bytes)
        request = requests.Request("GET", sandbox.url + "/listings/", auth=provider).prepare()
        assert_type(provider(request), requests.PreparedRequest)
        assert_type(asyncio.run(asynchronous(provider)), AccessToken)
        arguments = (sandbox.client_id, sandbox.client_secret)
        assert_type(clazar_auth.authenticate(*arguments, auth_url=sandbox.auth_url), AccessToken)
        httpx.Client(auth=Auth(provider)).close()
        assert_type(middleware(provider), aiohttp.ClientMiddlewareType)
        static = StaticProvider("not-a-real-token", allowed_hosts=["api.example"])
        assert_type(static, StaticProvider)
        takes_a_provider(static)


async def asynchronous(provider: TokenProvider) -> AccessToken:
    assert_type(await provider.headers_async(), dict[str, str])
    return await provider.token_async(timeout=10)


def takes_a_provider(provider: TokenProvider) -> None:
    try:
        provider.token()
    except clazar_auth.ClazarAuthError as error:
        assert_type(error.http_status, int | None)
        assert_type(error.retry_after, float | None)
        assert_type(error.retryable, bool)


if __name__ == "__main__":
    main()
