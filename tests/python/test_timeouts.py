"""How long a call waits, if it says so itself, and that a wait can last through a back-off."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from helpers import LONG, HeldServer

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.integrations import httpx as for_httpx
from clazar_auth.integrations import requests as for_requests
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.testing import Sandbox, StaticProvider

SHORT = 0.02
Get = Callable[[TokenProvider, str], object]


@pytest.fixture
def server() -> Iterator[HeldServer]:
    with HeldServer() as server:
        yield server


def given_up() -> Any:
    return pytest.raises(clazar_auth.AuthTimeoutError, match=f"no token came within {SHORT} s")


@pytest.mark.parametrize("method", ["token", "authorization", "headers", "refresh", "seal"])
def test_each_call_that_waits_has_a_timeout(server: HeldServer, method: str) -> None:
    provider = server.provider()
    with given_up():
        getattr(provider, method)(timeout=SHORT)
    server.go_on.set()
    assert provider.token().value == "held-1", "the token request goes on"


@pytest.mark.parametrize("method", ["token_async", "headers_async", "refresh_async"])
def test_each_coroutine_that_waits_has_a_timeout(server: HeldServer, method: str) -> None:
    provider = server.provider()
    with given_up():
        asyncio.run(getattr(provider, method)(timeout=SHORT))
    server.go_on.set()
    assert provider.token().value == "held-1", "the token request goes on"


def get_with_requests(provider: TokenProvider, url: str) -> object:
    auth = for_requests.Auth(provider, timeout=SHORT)
    return requests.get(url, auth=auth, timeout=LONG)


def get_with_httpx(provider: TokenProvider, url: str) -> object:
    return httpx.get(url, auth=for_httpx.Auth(provider, timeout=SHORT), timeout=LONG)


def get_with_httpx_async(provider: TokenProvider, url: str) -> object:
    async def get() -> httpx.Response:
        auth = for_httpx.Auth(provider, timeout=SHORT)
        async with httpx.AsyncClient(auth=auth, timeout=LONG) as client:
            return await client.get(url)

    return asyncio.run(get())


def get_with_aiohttp(provider: TokenProvider, url: str) -> object:
    async def get() -> int:
        adapter = middleware(provider, timeout=SHORT)
        async with aiohttp.ClientSession(middlewares=[adapter]) as session:
            async with session.get(url) as response:
                return response.status

    return asyncio.run(get())


each_adapter = pytest.mark.parametrize(
    "get", [get_with_requests, get_with_httpx, get_with_httpx_async, get_with_aiohttp]
)


@each_adapter
def test_an_adapter_has_a_timeout_for_the_first_token(server: HeldServer, get: Get) -> None:
    with given_up():
        get(server.provider(), server.url)
    assert not any("Authorization" in headers for headers in server.seen), "nothing was sent"


@each_adapter
def test_an_adapter_has_a_timeout_for_the_token_after_a_401(sandbox: Sandbox, get: Get) -> None:
    provider = sandbox.provider(timeout=LONG)
    provider.token()
    sandbox.revoke_tokens()
    sandbox.set_delay(3600)
    with given_up():
        get(provider, f"{sandbox.url}/listings/")
    assert sandbox.requests("/listings/") == 1


@pytest.mark.parametrize("make", [for_requests.Auth, for_httpx.Auth, middleware])
def test_a_timeout_that_cannot_work_is_refused_at_once(make: Any) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="timeout"):
        make(StaticProvider(), timeout=-1)
    with pytest.raises(TypeError, match="timeout"):
        make(StaticProvider(), timeout="5")


@pytest.mark.parametrize("make", [for_requests.Auth, for_httpx.Auth])
def test_an_adapter_pickles_with_its_timeout(
    server: HeldServer, monkeypatch: pytest.MonkeyPatch, make: Any
) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    auth = pickle.loads(pickle.dumps(make(TokenProvider.from_env(), timeout=SHORT)))
    library: Any = requests if make is for_requests.Auth else httpx
    with given_up():
        library.get(server.url, auth=auth)


def test_a_wait_lasts_through_a_back_off(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(501)
    start, work = time.monotonic(), time.thread_time()
    assert provider.token(wait=LONG).expires_in > 0
    assert time.thread_time() - work < (time.monotonic() - start) / 10, "it sleeps"
    assert sandbox.requests() == 2
    provider.invalidate(provider.token())
    sandbox.answer_next(501)
    with pytest.raises(clazar_auth.ServerError):
        provider.token()
    assert provider.token(wait=LONG).expires_in > 0, "it begins in the back-off"
    assert sandbox.requests() == 4


def test_a_wait_is_not_for_what_does_not_pass(sandbox: Sandbox) -> None:
    sandbox.answer_next(401)
    with pytest.raises(clazar_auth.InvalidCredentialsError):
        sandbox.provider().token(wait=LONG)
    assert sandbox.requests() == 1


def test_a_wait_that_would_be_in_vain_is_none(sandbox: Sandbox) -> None:
    sandbox.answer_next(429, headers={"Retry-After": "120"})
    start = time.monotonic()
    with pytest.raises(clazar_auth.RateLimitedError) as caught:
        sandbox.provider().token(wait=LONG)
    assert time.monotonic() - start < LONG / 2
    assert caught.value.retry_after is not None and caught.value.retry_after > LONG


def test_a_wait_ends_in_time(server: HeldServer) -> None:
    provider = server.provider()
    for times in ({"wait": SHORT}, {"wait": LONG, "timeout": SHORT}):
        with pytest.raises(clazar_auth.AuthTimeoutError, match="within .* s; the request goes on"):
            provider.token(**times)
    with pytest.raises(clazar_auth.AuthTimeoutError, match="no token yet"):
        provider.token(wait=0)
    assert server.requests() == 1


def test_a_provider_is_ready_as_long_as_it_has_a_valid_token(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    assert not provider.ready
    assert sandbox.requests() == 0, "it asks for none"
    provider.token()
    assert provider.ready
    provider.invalidate(provider.token())
    assert not provider.ready
    provider.token()
    sandbox.answer_next(501)
    with pytest.raises(clazar_auth.ServerError):
        provider.refresh()
    assert provider.ready, "an outage is none as long as the token is valid"
    provider.close()
    assert not provider.ready
    assert StaticProvider().ready


def test_a_refresh_of_one_task_serves_the_others(server: HeldServer) -> None:
    async def main() -> list[str]:
        waits: list[Awaitable[clazar_auth.AccessToken]] = [provider.refresh_async()]
        waits += [provider.token_async() for _ in range(9)]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        while provider.stats().waited < 10:
            await asyncio.sleep(0.001)
        server.go_on.set()
        return [token.value for token in await asyncio.gather(*tasks)]

    provider = server.provider()
    assert asyncio.run(asyncio.wait_for(main(), LONG)) == ["held-1"] * 10
    assert provider.stats().refresh.succeeded == 1
