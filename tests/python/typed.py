"""What type checkers are to infer: mypy and pyright check this file, and a test runs it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import aiohttp
import httpx
import prometheus_client
import requests
from typing_extensions import assert_type

import clazar_auth
from clazar_auth import AccessToken, Event, Requests, Stats, TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.integrations.httpx import Auth
from clazar_auth.integrations.opentelemetry import Telemetry
from clazar_auth.integrations.prometheus import Collector
from clazar_auth.integrations.requests import Auth as RequestsAuth
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
        assert_type(provider.refresh(timeout=5), AccessToken)
        assert_type(provider.token(wait=60) == token, bool)
        assert_type(provider.ready, bool)
        assert_type(provider.stats(), Stats)
        assert_type(provider.stats().empty, Requests)
        assert_type(provider.stats().backoff, float | None)
        assert_type(provider.stats()._asdict(), dict[str, Any])
        assert_type(provider.seal(timeout=5), bytes)
        request = requests.Request("GET", sandbox.url + "/listings/", auth=provider).prepare()
        assert_type(provider(request), requests.PreparedRequest)
        requests.Request("GET", sandbox.url, auth=RequestsAuth(provider, timeout=5)).prepare()
        assert_type(asyncio.run(asynchronous(provider)), AccessToken)
        arguments = (sandbox.client_id, sandbox.client_secret)
        assert_type(clazar_auth.authenticate(*arguments, auth_url=sandbox.auth_url), AccessToken)
        httpx.Client(auth=Auth(provider, timeout=5)).close()
        assert_type(middleware(provider, timeout=5), aiohttp.ClientMiddlewareType)
        events: list[Event] = []
        TokenProvider(*arguments, auth_url=sandbox.auth_url, on_event=events.append).token()
        assert_type(events[0].duration, float | None)
        assert_type(sandbox.provider(on_event=Telemetry()), TokenProvider)
        prometheus_client.CollectorRegistry().register(Collector(provider))
        assert_type(provider.client_id, str)
        static = StaticProvider("not-a-real-token", allowed_hosts=["api.example"])
        assert_type(static, StaticProvider)
        assert_type(StaticProvider.from_env(), StaticProvider)
        takes_a_provider(static)


async def asynchronous(provider: TokenProvider) -> AccessToken:
    async with provider as same:
        assert_type(same, TokenProvider)
        assert_type(await provider.headers_async(timeout=5), dict[str, str])
        assert_type(await provider.refresh_async(timeout=5), AccessToken)
        return await provider.token_async(timeout=10)


def takes_a_provider(provider: TokenProvider) -> None:
    try:
        provider.token()
    except clazar_auth.ClazarAuthError as error:
        assert_type(error.http_status, int | None)
        assert_type(error.retry_after, float | None)
        assert_type(error.retryable, bool)
        assert_type(error.code, str | None)
        assert_type(error.request_id, str | None)


if __name__ == "__main__":
    main()
