"""Each HTTP library behind the same few methods, so that one test runs through all of them.

A session has so many connections and no more: a response that is not given up blocks the next call.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import aiohttp
import anyio
import anyio.to_thread
import httpx
import httpx2
import requests
import urllib3
from helpers import LONG, at_once

import clazar_auth
import clazar_auth.integrations.aiohttp
import clazar_auth.integrations.httpx
from clazar_auth import TokenProvider

T = TypeVar("T")
Pieces = Callable[[], Iterator[bytes]]
CHUNK = 4
"""Bytes of a response that are read at a time, where the library asks for it."""


class Answer(NamedTuple):
    status: int
    body: bytes


@dataclass
class Call:
    url: str
    method: str = "GET"
    body: bytes | io.IOBase | Pieces | None = None
    on_piece: Callable[[bytes], object] = len
    """Gets each piece of the response's body as it comes."""


class Library(ABC):
    retries = True
    """Whether it retries, and refuses other hosts; plain headers do not."""
    takes_files = True
    """Whether it sends a file from where it stands, and can do so again."""
    blocks = False
    """Whether a task that waits for a token holds up the others."""

    @abstractmethod
    def each(self, provider: TokenProvider, *calls: Call) -> list[Answer]:
        """The answers to calls that are made one after the other in one session."""

    @abstractmethod
    def together(self, provider: TokenProvider, count: int, call: Call) -> list[Answer]:
        """The answers to one call that so many threads or tasks make at once."""

    def one(self, provider: TokenProvider, call: Call) -> Answer:
        [answer] = self.each(provider, call)
        return answer


class Blocking(Library):
    @abstractmethod
    def session(self, provider: TokenProvider) -> AbstractContextManager[Any]: ...

    @abstractmethod
    def send(self, session: Any, provider: TokenProvider, call: Call) -> Answer: ...

    def each(self, provider: TokenProvider, *calls: Call) -> list[Answer]:
        with self.session(provider) as session:
            return [self.send(session, provider, call) for call in calls]

    def together(self, provider: TokenProvider, count: int, call: Call) -> list[Answer]:
        return at_once(count, lambda: self.one(provider, call))


class Requests(Blocking):
    def session(self, provider: TokenProvider) -> requests.Session:
        session = requests.Session()
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
        session.auth = provider
        return session

    def send(self, session: requests.Session, provider: TokenProvider, call: Call) -> Answer:
        body = call.body() if callable(call.body) else call.body
        with session.request(
            call.method, call.url, data=body, stream=True, timeout=LONG
        ) as response:
            return Answer(response.status_code, whole(response.iter_content(CHUNK), call))


class Urllib3(Blocking):
    """As good as any library to which plain headers are given."""

    retries = False

    def session(self, provider: TokenProvider) -> urllib3.PoolManager:
        return urllib3.PoolManager(maxsize=1, block=True, timeout=LONG)

    def send(self, session: urllib3.PoolManager, provider: TokenProvider, call: Call) -> Answer:
        body = call.body() if callable(call.body) else call.body
        response = session.request(
            call.method, call.url, body=body, headers=provider.headers(), preload_content=False
        )
        answer = Answer(response.status, whole(response.stream(CHUNK), call))
        response.release_conn()
        return answer


def wrapped(library: Any, provider: TokenProvider) -> Any:
    """An auth object of a program's own that goes through the adapter's."""
    inner = clazar_auth.integrations.httpx.Auth(provider)

    class Wrapping(library.Auth):  # type: ignore[misc]
        def auth_flow(self, request: Any) -> Iterator[Any]:
            request.headers["X-Wrapped"] = "yes"
            yield from inner.auth_flow(request)

    return Wrapping()


def unwrapped(library: Any, provider: TokenProvider) -> Any:
    return clazar_auth.integrations.httpx.Auth(provider)


class Httpx(Blocking):
    takes_files = False

    def __init__(self, library: Any, auth: Callable[..., Any] = unwrapped) -> None:
        self.library = library
        self.auth = auth

    def session(self, provider: TokenProvider) -> AbstractContextManager[Any]:
        client: AbstractContextManager[Any] = self.library.Client(
            auth=self.auth(self.library, provider), **options(self.library, 1)
        )
        return client

    def send(self, session: Any, provider: TokenProvider, call: Call) -> Answer:
        body = call.body() if callable(call.body) else call.body
        with session.stream(call.method, call.url, content=body) as response:
            return Answer(response.status_code, whole(response.iter_bytes(), call))


def options(library: Any, connections: int) -> dict[str, Any]:
    limits = library.Limits(max_connections=connections)
    return {"follow_redirects": True, "limits": limits, "timeout": LONG}


class Async(Library):
    def __init__(self, backend: str) -> None:
        self.backend = backend

    @abstractmethod
    def session(
        self, provider: TokenProvider, connections: int
    ) -> AbstractAsyncContextManager[Any]: ...

    @abstractmethod
    async def send(self, session: Any, call: Call) -> Answer: ...

    def each(self, provider: TokenProvider, *calls: Call) -> list[Answer]:
        async def main() -> list[Answer]:
            async with self.session(provider, 1) as session:
                return [await self.send(session, call) for call in calls]

        return self.run(main)

    def together(self, provider: TokenProvider, count: int, call: Call) -> list[Answer]:
        answers: list[Answer] = []

        async def task(session: Any) -> None:
            answers.append(await self.send(session, call))

        async def main() -> None:
            async with self.session(provider, count) as session:
                async with anyio.create_task_group() as group:
                    for _ in range(count):
                        group.start_soon(task, session)

        self.run(main)
        return answers

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        """Not for ever."""

        async def bounded() -> T:
            with anyio.fail_after(LONG):
                return await main()

        return anyio.run(bounded, backend=self.backend)


class AsyncHttpx(Async):
    takes_files = False

    def __init__(self, library: Any, backend: str, auth: Callable[..., Any] = unwrapped) -> None:
        super().__init__(backend)
        self.library = library
        self.auth = auth
        self.blocks = auth is wrapped

    def session(
        self, provider: TokenProvider, connections: int
    ) -> AbstractAsyncContextManager[Any]:
        client: AbstractAsyncContextManager[Any] = self.library.AsyncClient(
            auth=self.auth(self.library, provider), **options(self.library, connections)
        )
        return client

    async def send(self, session: Any, call: Call) -> Answer:
        async with session.stream(call.method, call.url, content=async_body(call)) as response:
            return Answer(response.status_code, await whole_async(response.aiter_bytes(), call))


class Aiohttp(Async):
    def session(self, provider: TokenProvider, connections: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            middlewares=[clazar_auth.integrations.aiohttp.middleware(provider)],
            trust_env=True,  # As the others do unasked.
        )

    async def send(self, session: aiohttp.ClientSession, call: Call) -> Answer:
        async with session.request(call.method, call.url, data=async_body(call)) as response:
            return Answer(response.status, await whole_async(response.content.iter_any(), call))


def whole(pieces: Iterator[bytes], call: Call) -> bytes:
    body = b""
    for piece in pieces:
        call.on_piece(piece)
        body += piece
    return body


async def whole_async(pieces: AsyncIterator[bytes], call: Call) -> bytes:
    body = b""
    async for piece in pieces:
        call.on_piece(piece)
        body += piece
    return body


def async_body(call: Call) -> Any:
    return async_pieces(call.body()) if callable(call.body) else call.body


async def async_pieces(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await anyio.to_thread.run_sync(next, pieces, b""):
        yield piece


LIBRARIES: dict[str, Library] = {
    "requests": Requests(),
    "httpx": Httpx(httpx),
    "httpx-asyncio": AsyncHttpx(httpx, "asyncio"),
    "httpx-trio": AsyncHttpx(httpx, "trio"),
    "httpx-wrapped": Httpx(httpx, wrapped),
    "httpx-wrapped-trio": AsyncHttpx(httpx, "trio", wrapped),
    "httpx2": Httpx(httpx2),
    "httpx2-asyncio": AsyncHttpx(httpx2, "asyncio"),
    "httpx2-trio": AsyncHttpx(httpx2, "trio"),
    "httpx2-wrapped": Httpx(httpx2, wrapped),
    "httpx2-wrapped-asyncio": AsyncHttpx(httpx2, "asyncio", wrapped),
    "aiohttp": Aiohttp("asyncio"),
    "urllib3": Urllib3(),
}
