"""The token of a plain-http URL, which is one of this machine, goes through no proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
from adapters import LIBRARIES, Call, Library, unwrapped, wrapped
from helpers import Handler, Loopback
from test_arguments import holds

import clazar_auth
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox


def libraries(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("library", [LIBRARIES[name] for name in names], ids=names)


ADAPTERS = [name for name, library in LIBRARIES.items() if library.retries]
DIRECT = ["aiohttp"]
"""Those that let an adapter send directly."""
OTHERS = [name for name in ADAPTERS if name not in DIRECT]


@pytest.fixture
def proxy() -> Iterator[Loopback]:
    """Keeps what it gets, and answers 200."""
    with Loopback() as proxy:
        yield proxy


def listings(sandbox: Sandbox) -> Call:
    return Call(f"{sandbox.url}/listings/")


@libraries(*OTHERS)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_does_not_get_the_token(
    library: Library,
    name: str,
    sandbox: Sandbox,
    proxy: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, proxy.url)
    with pytest.raises(clazar_auth.ConfigurationError, match="add 127.0.0.1 to NO_PROXY"):
        library.one(sandbox.provider(), listings(sandbox))
    assert proxy.seen == []
    assert sandbox.requests("/listings/") == 0


@libraries(*DIRECT)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_of_the_environment_is_passed_by(
    library: Library,
    name: str,
    sandbox: Sandbox,
    proxy: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, proxy.url)
    assert library.one(sandbox.provider(), listings(sandbox)).status == 200
    assert proxy.seen == []


@libraries(*ADAPTERS)
@pytest.mark.parametrize("exempt", ["127.0.0.1", "example.com,127.0.0.1"])
def test_no_proxy_is_heeded(
    library: Library,
    exempt: str,
    sandbox: Sandbox,
    proxy: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", exempt)
    assert library.one(sandbox.provider(), listings(sandbox)).status == 200
    assert proxy.seen == []


@libraries(*ADAPTERS)
def test_a_redirect_elsewhere_may_go_through_a_proxy(
    library: Library, sandbox: Sandbox, proxy: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    location = {"Location": "http://clazar.test/"}
    sandbox.answer_next(302, headers=location, path="/buyers/")
    assert library.one(sandbox.provider(), Call(f"{sandbox.url}/buyers/")).status == 200
    [headers] = proxy.seen
    assert headers["Host"] == "clazar.test"
    assert "Authorization" not in headers


class Tunnel(Handler):
    """Refuses to be one."""

    def do_CONNECT(self) -> None:
        self.server.seen.append({"to": self.path})
        self.send_error(403)


@libraries(*ADAPTERS)
def test_a_request_over_https_may_go_through_a_proxy(
    library: Library, sandbox: Sandbox, proxy: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.RequestHandlerClass = Tunnel
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises((OSError, httpx.ProxyError, httpx2.ProxyError, aiohttp.ClientError)):
        library.one(sandbox.provider(), Call("https://api.clazar.io/listings/"))
    assert proxy.seen == [{"to": "api.clazar.io:443"}]


# ---- A proxy that the program names ----

both = pytest.mark.parametrize("library", [httpx, httpx2])


@both
def test_a_proxy_of_a_client_does_not_get_the_token(
    library: Any, sandbox: Sandbox, proxy: Loopback
) -> None:
    with library.Client(auth=Auth(sandbox.provider()), proxy=proxy.url) as client:
        with pytest.raises(clazar_auth.ConfigurationError, match="NO_PROXY"):
            client.get(f"{sandbox.url}/listings/")
    assert proxy.seen == []


@both
def test_no_frame_of_the_adapter_shows_the_token(
    library: Any, sandbox: Sandbox, proxy: Loopback
) -> None:
    provider = sandbox.provider()
    with library.Client(auth=Auth(provider), proxy=proxy.url) as client:
        with pytest.raises(clazar_auth.ConfigurationError) as caught:
            client.get(f"{sandbox.url}/listings/")
    assert not holds(caught.value, provider.token().value)


def test_a_proxy_of_a_call_does_not_get_the_token(sandbox: Sandbox, proxy: Loopback) -> None:
    async def status() -> int:
        async with (
            aiohttp.ClientSession(middlewares=[middleware(sandbox.provider())]) as session,
            session.get(f"{sandbox.url}/listings/", proxy=proxy.url) as response,
        ):
            return response.status

    assert asyncio.run(status()) == 200
    assert proxy.seen == []


@both
def test_a_client_that_heeds_no_environment_is_not_refused(
    library: Any, sandbox: Sandbox, proxy: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with library.Client(auth=Auth(sandbox.provider()), trust_env=False) as client:
        assert client.get(f"{sandbox.url}/listings/").status_code == 200


@both
@pytest.mark.parametrize("make", [unwrapped, wrapped])
def test_a_program_may_trace_its_requests(
    library: Any, make: Callable[..., Any], sandbox: Sandbox
) -> None:
    events: list[str] = []

    def trace(event: str, info: object) -> None:
        events.append(event)

    async def trace_async(event: str, info: object) -> None:
        events.append(event)

    async def main() -> None:
        async with library.AsyncClient(auth=auth) as client:
            await client.get(url, extensions={"trace": trace_async})

    url = f"{sandbox.url}/listings/"
    auth = make(library, sandbox.provider())
    with library.Client(auth=auth) as client:
        request = client.build_request("GET", url, extensions={"trace": trace})
        for _ in range(2):
            assert client.send(request).status_code == 200
        assert request.extensions["trace"] is trace
    assert events.count("http11.send_request_headers.started") == 2
    asyncio.run(main())
    assert events.count("http11.send_request_headers.started") == 3
    assert events.count("http11.receive_response_body.complete") == 3
