"""A 401 whose body never ends costs no more than the connection it came on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import aiohttp
import pytest
import requests
from helpers import LONG, Loopback

from clazar_auth import TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.testing import Sandbox

PIECE = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


class Endless(Loopback):
    """Refuses the first request at endless length."""

    refused = False

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = EndlessHandler


class EndlessHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endless

    def do_GET(self) -> None:
        if self.server.refused:
            self.send_response(204)
            self.end_headers()
            return
        self.server.refused = True
        self.send_response(401)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while True:
                self.wfile.write(PIECE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endless() -> Iterator[Endless]:
    with Endless() as server:
        yield server


@pytest.fixture
def provider(sandbox: Sandbox, endless: Endless) -> TokenProvider:
    return sandbox.provider(allowed_hosts=[endless.url.removeprefix("http://")])


def test_requests(endless: Endless, provider: TokenProvider) -> None:
    with requests.get(endless.url, auth=provider, timeout=LONG, stream=True) as response:
        assert response.status_code == 204


def test_aiohttp(endless: Endless, provider: TokenProvider) -> None:
    async def status() -> int:
        timeout = aiohttp.ClientTimeout(LONG)
        async with (
            aiohttp.ClientSession(middlewares=[middleware(provider)], timeout=timeout) as session,
            session.get(endless.url) as response,
        ):
            return response.status

    assert asyncio.run(status()) == 204
