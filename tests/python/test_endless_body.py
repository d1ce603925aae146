"""A 401 costs no more than the connection it came on, whatever its body is."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import gzip
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import requests
from adapters import LIBRARIES, Call, Library
from helpers import LONG, Loopback

from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

MIB = 1 << 20
PIECE = bytes(1 << 16)
MANY = 4096
"""Pieces after which an endless body ends after all: enough to be noticed, and memory has room."""
SMALL = 32 * MIB
"""What a refusal may take of memory, with all that happens besides; they have more to give."""
SOON = 10.0
"""Ten times the seconds that a refusal may take."""

BOMB = gzip.compress(bytes(60 * MIB))
assert len(BOMB) <= 64 * 1024


class Refusing(Loopback):
    """Refuses the first request at length, and lets others pass; counts connections."""

    refused = False
    delay = 0.0
    """Seconds that the other answers take."""

    def __init__(self, body: Callable[[RefusingHandler], None]) -> None:
        super().__init__()
        self.RequestHandlerClass = RefusingHandler
        self.body = body
        self.connections = 0

    def process_request(self, *arguments: object) -> None:
        self.connections += 1
        super().process_request(*arguments)  # type: ignore[arg-type]


class RefusingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LONG
    server: Refusing

    def do_GET(self) -> None:
        if self.server.refused:
            time.sleep(self.server.delay)
            self.send_response(204)
            self.end_headers()
            return
        self.server.refused = True
        self.send_response(401)
        with suppress(OSError):
            self.server.body(self)

    def begin(self, **headers: str) -> None:
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def short(handler: RefusingHandler) -> None:
    handler.begin(Content_Length="5")
    handler.wfile.write(b"short")


def late(handler: RefusingHandler) -> None:
    handler.begin(Content_Length="5")
    time.sleep(0.05)
    handler.wfile.write(b"short")


def longest(handler: RefusingHandler) -> None:
    handler.begin(Content_Length=str(64 * 1024))
    handler.wfile.write(bytes(64 * 1024))


def a_byte_more(handler: RefusingHandler) -> None:
    handler.begin(Content_Length=str(64 * 1024 + 1))
    handler.wfile.write(bytes(64 * 1024))


def reset(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Content_Length="50")
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def cut(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Content_Length="50")
    handler.wfile.write(b"short")


def short_and_compressed(handler: RefusingHandler) -> None:
    body = gzip.compress(b"short")
    handler.begin(Content_Length=str(len(body)), Content_Encoding="gzip")
    handler.wfile.write(body)


def compressed(handler: RefusingHandler) -> None:
    handler.begin(Content_Length=str(len(BOMB)), Content_Encoding="gzip")
    handler.wfile.write(BOMB)


def long(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Content_Length=str(MANY * len(PIECE)))
    for _ in range(MANY):
        handler.wfile.write(PIECE)


def chunks(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Transfer_Encoding="chunked")
    for _ in range(MANY):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))


def chunks_with_a_length(handler: RefusingHandler) -> None:
    """What may not be (RFC 9112 section 6.3): the length is not the one that counts."""
    handler.send_header("Content-Length", "5")
    chunks(handler)


def until_closed(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Connection="close")
    for _ in range(MANY):
        handler.wfile.write(PIECE)


def absurd_length(handler: RefusingHandler) -> None:
    handler.close_connection = True
    handler.begin(Content_Length="9" * 5000)
    handler.wfile.write(PIECE)


def drip(handler: RefusingHandler) -> None:
    """Each read gets something, and soon; all of it together takes too long."""
    handler.close_connection = True
    end = time.monotonic() + 2 * SOON
    while time.monotonic() < end:
        handler.wfile.write(b"xx")
        time.sleep(0.1)


def slow(handler: RefusingHandler) -> None:
    handler.begin(Content_Length="60000")
    drip(handler)


def slow_chunk(handler: RefusingHandler) -> None:
    handler.begin(Transfer_Encoding="chunked")
    handler.wfile.write(b"5;extension=")
    drip(handler)


def stalled(handler: RefusingHandler) -> None:
    """Sends nothing, until the other side hangs up."""
    handler.close_connection = True
    handler.begin(Content_Length="60000")
    handler.connection.recv(1)


def libraries(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("library", [LIBRARIES[name] for name in names], ids=names)


ADAPTERS = [name for name, library in LIBRARIES.items() if library.retries]
with_adapter = libraries(*ADAPTERS)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Refusing]:
    with Refusing(request.param) as server:
        yield server


@pytest.fixture
def provider(sandbox: Sandbox, server: Refusing) -> TokenProvider:
    return sandbox.provider(allowed_hosts=[server.url.removeprefix("http://")])


def bodies(*bodies: Callable[[RefusingHandler], None]) -> pytest.MarkDecorator:
    ids = [body.__name__ for body in bodies]
    return pytest.mark.parametrize("server", bodies, ids=ids, indirect=True)


def growth(work: Callable[[], None]) -> int:
    """By how many bytes this process grew meanwhile, at the most."""
    gc.collect()
    # What was freed before is not to hide what is taken now.
    ctypes.CDLL(None).malloc_trim(0)

    def status(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1024

    Path("/proc/self/clear_refs").write_text("5")  # Forget the peak so far: man 5 proc.
    before = status("VmRSS")
    work()
    return status("VmHWM") - before


@with_adapter
@bodies(compressed, long, chunks, until_closed)
def test_a_large_refusal_fills_no_memory(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    def work() -> None:
        assert library.one(provider, Call(server.url)).status == 204

    assert growth(work) < SMALL
    assert provider.stats().invalidations == 1


# aiohttp refuses such an answer itself.
@libraries(*(name for name in ADAPTERS if name != "aiohttp"))
@bodies(chunks_with_a_length)
def test_chunks_go_before_a_length(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    test_a_large_refusal_fills_no_memory(library, server, provider)


# The others refuse such an answer themselves.
@libraries("requests")
@bodies(absurd_length)
def test_an_absurd_length_is_none(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    test_a_large_refusal_fills_no_memory(library, server, provider)


@with_adapter
@bodies(slow, slow_chunk, stalled)
def test_a_slow_refusal_holds_nobody(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    begin = time.monotonic()
    assert library.one(provider, Call(server.url)).status == 204
    assert time.monotonic() - begin < SOON < LONG


@with_adapter
@bodies(short, late, longest, short_and_compressed)
def test_a_short_refusal_keeps_its_connection(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    answers = library.each(provider, Call(server.url), Call(server.url))
    assert [answer.status for answer in answers] == [204, 204]
    assert server.connections == 1


@with_adapter
@bodies(a_byte_more)
def test_a_longer_refusal_loses_its_connection(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    assert library.one(provider, Call(server.url)).status == 204
    assert server.connections == 2


@with_adapter
@bodies(cut, reset)
def test_a_refusal_that_ends_too_soon(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    assert library.one(provider, Call(server.url)).status == 204


@with_adapter
@bodies(short)
def test_the_next_answer_may_take_longer_than_a_refusal(
    library: Library, server: Refusing, provider: TokenProvider
) -> None:
    server.delay = 1.5
    assert library.one(provider, Call(server.url)).status == 204
    assert server.connections == 1


def get(library: Any, provider: TokenProvider, url: str) -> Any:
    with library.Client(auth=Auth(provider)) as client:
        return client.get(url)


def get_async(library: Any, provider: TokenProvider, url: str) -> Any:
    async def main() -> Any:
        async with library.AsyncClient(auth=Auth(provider)) as client:
            return await client.get(url)

    return asyncio.run(main())


def get_with_requests(_: Any, provider: TokenProvider, url: str) -> Any:
    return requests.get(url, auth=provider)


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("get", [get, get_async, get_with_requests])
@bodies(short, a_byte_more, cut, slow)
def test_the_history_has_the_whole_refusal_or_nothing_of_it(
    library: Any, get: Callable[..., Any], server: Refusing, provider: TokenProvider
) -> None:
    [refused] = get(library, provider, server.url).history
    assert refused.content == (b"short" if server.body is short else b"")


# The connection may be another request's by then, so that nothing is to be read from it.


@pytest.mark.parametrize("library", [httpx, httpx2])
@bodies(short)
def test_a_refusal_that_an_event_hook_has_read_is_left_alone(
    library: Any, server: Refusing, provider: TokenProvider
) -> None:
    streams = []

    def read(response: Any) -> None:
        response.read()
        streams.append(response.stream)

    with library.Client(auth=Auth(provider), event_hooks={"response": [read]}) as client:
        response = client.get(server.url)
    assert response.status_code == 204
    [refused] = response.history
    assert (refused.content, refused.stream) == (b"short", streams[0])


@pytest.mark.parametrize("library", [httpx, httpx2])
@bodies(short)
def test_a_refusal_that_an_asynchronous_event_hook_has_read_is_left_alone(
    library: Any, server: Refusing, provider: TokenProvider
) -> None:
    streams = []

    async def read(response: Any) -> None:
        await response.aread()
        streams.append(response.stream)

    async def main() -> Any:
        hooks = {"response": [read]}
        async with library.AsyncClient(auth=Auth(provider), event_hooks=hooks) as client:
            return await client.get(server.url)

    response = asyncio.run(main())
    assert response.status_code == 204
    [refused] = response.history
    assert (refused.content, refused.stream) == (b"short", streams[0])
