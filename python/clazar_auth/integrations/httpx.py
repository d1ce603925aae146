"""The provider as ``auth=`` of `httpx <https://www.python-httpx.org>`_ and httpx2.

>>> import httpx
>>> with httpx.Client(auth=clazar_auth.integrations.httpx.Auth(provider)) as client:
...     client.get("https://api.clazar.io/listings/").json()["count"]
3
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cache, partial
from inspect import CO_COROUTINE
from typing import TYPE_CHECKING, Any

from clazar_auth._native import _checked
from clazar_auth.integrations._proxies import refusal
from clazar_auth.integrations._renewal import (
    LONGEST_WAIT,
    ONE_READ,
    in_time,
    is_another,
    is_short,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator

    import httpx
    import httpx2

    from clazar_auth import AccessToken, TokenProvider

    class _Base(httpx.Auth, httpx2.Auth):  # type: ignore[misc]
        """What a type checker sees."""

else:
    _Base = object

__all__ = ["Auth"]


class Auth(_Base):
    """Add the token to each request whose URL may have it, and retry once if the API answers 401.

    For Client and AsyncClient, of httpx and of httpx2, on asyncio and on trio. A body in memory
    (bytes, text, JSON, a form) is sent again whole; with one that is streamed (a generator, a file,
    multipart) the 401 is returned as it is, and the next request has a fresh token. After a
    redirect to another origin a request goes without the token. Thread-safe.

    A request raises ConfigurationError if its URL is not https (or loopback), its host is not an
    allowed one, or its URL is plain http and the client has an HTTP proxy for it; and another
    ClazarAuthError if no token could be had, at first or after a 401.

    Args:
        provider (TokenProvider): where the token comes from.
        timeout (float): as for TokenProvider.token(), whenever a request needs a token.

    Raises:
        TypeError, ConfigurationError: for an argument of a wrong type, or a time-out that cannot work.

    >>> import httpx
    >>> auth = clazar_auth.integrations.httpx.Auth(provider)
    >>> httpx.get("https://api.clazar.io/listings/", auth=auth).json()["count"]
    3
    """

    # Both libraries' own have these, so what wraps this one may ask for them.
    requires_request_body = False
    requires_response_body = False

    def __init__(self, provider: TokenProvider, *, timeout: float | None = None) -> None:
        self._provider = _checked(provider, timeout)
        self._timeout = timeout

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """What Client runs for each request.

        >>> import httpx
        >>> request = httpx.Request("GET", "https://api.clazar.io/listings/")
        >>> auth = clazar_auth.integrations.httpx.Auth(provider)
        >>> next(auth.sync_auth_flow(request)).headers["Authorization"]
        'Bearer ...'
        """
        return self._flow(request, _both, _leave)

    def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """For an auth object of the program's own that wraps this one, in either kind of client.

        While it waits for a token, it blocks the event loop; async_auth_flow() does not.

        >>> import httpx
        >>> request = httpx.Request("GET", "https://api.clazar.io/listings/")
        >>> auth = clazar_auth.integrations.httpx.Auth(provider)
        >>> next(auth.auth_flow(request)).headers["Authorization"]
        'Bearer ...'
        """
        return self._flow(request, _both_for_either, _leave_for_either)

    def _flow(
        self, request: Any, both: Callable[[Any, Any], object], leave: Callable[[Any], None]
    ) -> Generator[Any, Any, None]:
        self._provider.check_url(str(request.url))
        token = self._provider.token(timeout=self._timeout)
        with _traced(request, both, _Watch(self._provider, token).look):
            response = yield _with(request, token)
            if not _is_refused(response, token):
                return
            self._provider.invalidate(token)
            if not _has_its_body(response.request):
                return
            fresh = self._provider.token(timeout=self._timeout)
            if is_another(fresh, token):
                leave(response)
                yield _with(response.request, fresh)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """What AsyncClient runs for each request.

        >>> import asyncio, httpx
        >>> async def count():
        ...     auth = clazar_auth.integrations.httpx.Auth(provider)
        ...     async with httpx.AsyncClient(auth=auth) as client:
        ...         response = await client.get("https://api.clazar.io/listings/")
        ...         return response.json()["count"]
        >>> asyncio.run(count())
        3
        """
        self._provider.check_url(str(request.url))
        token = await self._provider.token_async(timeout=self._timeout)
        with _traced(request, _both_async, _Watch(self._provider, token).look):
            response = yield _with(request, token)
            if not _is_refused(response, token):
                return
            self._provider.invalidate(token)
            if not _has_its_body(response.request):
                return
            fresh = await self._provider.token_async(timeout=self._timeout)
            if is_another(fresh, token):
                await _leave_async(response)
                yield _with(response.request, fresh)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Both libraries take nothing but an instance of their own Auth, and either may be missing,
        # or imported later: isinstance() asks here.
        return _heir(_loaded("Auth"))

    def __reduce__(self) -> tuple[Callable[..., Auth], tuple[TokenProvider]]:
        return partial(type(self), timeout=self._timeout), (self._provider,)


def _with(request: Any, token: AccessToken) -> Any:
    request.headers["Authorization"] = token.authorization
    return request


@contextmanager
def _traced(
    request: Any, both: Callable[[Any, Any], object], look: Callable[..., None]
) -> Iterator[None]:
    """Let httpcore tell what it sends and gets, to the program's own trace as well."""
    extensions = request.extensions
    request.extensions = {**extensions, "trace": both(look, extensions.get("trace"))}
    try:
        yield
    finally:
        request.extensions = extensions


def _both(look: Any, trace: Any) -> Callable[[str, dict[str, Any]], None]:
    def both(event: str, info: dict[str, Any]) -> None:
        look(event, info)
        if trace is not None:
            trace(event, info)

    return both


def _both_async(look: Any, trace: Any) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    async def both(event: str, info: dict[str, Any]) -> None:
        look(event, info)
        if trace is not None:
            await trace(event, info)

    return both


def _both_for_either(look: Any, trace: Any) -> Callable[[str, dict[str, Any]], object]:
    """For a flow that does not know which kind of client runs it."""

    def both(event: str, info: dict[str, Any]) -> object:
        look(event, info)
        if trace is not None:
            return trace(event, info)
        # httpcore wants a coroutine from where it awaits one, and nothing elsewhere.
        is_awaited = sys._getframe(1).f_code.co_flags & CO_COROUTINE
        return _nothing() if is_awaited else None

    return both


async def _nothing() -> None:
    pass


class _Watch:
    """Sees what the flow does not: the proxy of a request, and a 401 for which an event hook raises.

    Not every transport tells of what it sends, so the flow looks for a 401 as well.
    """

    def __init__(self, provider: TokenProvider, token: AccessToken) -> None:
        self._provider = provider
        self._token = token
        self._is_ours = False

    def look(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            self._sent(info["request"])
        elif event.endswith(".receive_response_headers.complete") and self._is_ours:
            self._answered(info["return_value"])

    def _answered(self, answer: Any) -> None:
        # HTTP/1.1 has its version before the status.
        if 401 in answer[:2]:
            self._provider.invalidate(self._token)

    def _sent(self, request: Any) -> None:
        # A whole URL is for a proxy: RFC 9112 section 3.2.2. No variable of this frame may hold the
        # token, since a traceback may show it.
        if _authorizations(request) and request.url.target.startswith(b"http:"):
            raise refusal(request.url.target.decode("ascii"))
        self._is_ours = self._token.authorization.encode() in _authorizations(request)


def _authorizations(request: Any) -> list[bytes]:
    return [value for name, value in request.headers if name.lower() == b"authorization"]


def _is_refused(response: Any, token: AccessToken) -> bool:
    """Whether this is a 401 to our token."""
    # After a redirect to another origin, it has been taken out.
    is_ours: bool = response.request.headers.get("Authorization") == token.authorization
    return is_ours and response.status_code == 401


def _has_its_body(request: Any) -> bool:
    return isinstance(request.stream, _loaded("ByteStream"))


def _leave(response: Any) -> None:
    """Read a short body, so that the connection is free for the next request; else close it.

    httpx itself would read it to its end, however long that takes.
    """
    if response.is_closed:
        return  # An event hook has read it.
    try:
        body = _read(response) if _is_worth_reading(response) else b""
    finally:
        response.stream.close()
    _replace(response, body)


async def _leave_async(response: Any) -> None:
    if response.is_closed:
        return
    try:
        body = await _read_async(response) if _is_worth_reading(response) else b""
    finally:
        await response.stream.aclose()
    _replace(response, body)


def _leave_for_either(response: Any) -> None:
    """For a flow that does not know which kind of client runs it."""
    if isinstance(response.stream, _loaded("SyncByteStream")):
        _leave(response)
    else:
        _leave_later(response)


def _leave_later(response: Any) -> None:
    """For a flow that cannot await: AsyncClient does it when it is about to read the body."""

    async def aread() -> None:
        del response.aread
        await _leave_async(response)
        await response.aread()

    response.aread = aread


def _is_worth_reading(response: Any) -> bool:
    # What is left of an HTTP/2 stream does not hold its connection.
    return response.http_version != "HTTP/2" and is_short(response.headers)


def _read(response: Any) -> bytes:
    extensions = response.request.extensions
    timeout = extensions.get("timeout", {})
    # httpcore looks at it when the first piece is asked for.
    extensions["timeout"] = {"read": min(ONE_READ, timeout.get("read") or ONE_READ)}
    try:
        return in_time(response.stream)
    except _loaded("TransportError"):
        return b""
    finally:
        extensions["timeout"] = timeout


async def _read_async(response: Any) -> bytes:
    import anyio  # httpx has it.

    body = b""
    with anyio.move_on_after(LONGEST_WAIT):
        try:
            async for piece in response.stream:
                body += piece
            return body
        except _loaded("TransportError"):
            pass
    return b""


def _replace(response: Any, body: bytes) -> None:
    """Let httpx find this when it reads the body."""
    # Nobody is to decode what is compressed: a few bytes may become many.
    if response.headers.pop("Content-Encoding", None) is not None:
        body = b""
    response.elapsed = response.elapsed  # httpx2 asks the stream for it.
    response.stream = type(response)(response.status_code, content=body).stream


def _loaded(name: str) -> tuple[Any, ...]:
    """The class of this name in each of the two libraries that the program has imported."""
    modules = map(sys.modules.get, ("httpx", "httpx2"))
    classes = (getattr(module, name, None) for module in modules)
    # One under both names is still one.
    return tuple(dict.fromkeys(filter(None, classes)))


@cache
def _heir(bases: tuple[type, ...]) -> type:
    return type("Auth", bases, {})
