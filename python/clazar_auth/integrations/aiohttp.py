"""The provider as a client middleware of `aiohttp <https://docs.aiohttp.org>`_, 3.12 or later.

>>> adapter = clazar_auth.integrations.aiohttp.middleware(provider)
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from clazar_auth._native import _checked
from clazar_auth.errors import ConfigurationError
from clazar_auth.integrations._renewal import LONGEST_WAIT, is_another, is_short

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from clazar_auth import AccessToken, TokenProvider

__all__ = ["middleware"]

_REDIRECTS = (301, 302, 303, 307, 308)


class _Call(NamedTuple):
    """A program's call: its first request, and those that follow a redirect."""

    timer: object
    """aiohttp makes one for each call; nothing else tells a middleware what belongs together."""
    has_left: bool
    """Whether a request of it went to a host that is not an allowed one."""


# The call in this task whose last answer was a redirect.
_redirected: ContextVar[_Call | None] = ContextVar("clazar_auth_redirected", default=None)


def middleware(provider: TokenProvider, *, timeout: float | None = None) -> ClientMiddlewareType:
    """Add the token to each request whose URL may have it, and retry once if the API answers 401.

    For ``ClientSession(middlewares=[...])``. The request is sent again with its whole body; where
    the body cannot be had again (a generator), the 401 is returned as it is, and the next request
    has a fresh token. After a redirect to a host that is not an allowed one, all requests of that
    call go without the token. A plain-http URL, which is one of this machine, is reached without a
    proxy.

    A request raises ConfigurationError if its URL is not https (or loopback) or its host is not an
    allowed one, and another ClazarAuthError if no token could be had, at first or after a 401.

    Args:
        provider (TokenProvider): where the token comes from.
        timeout (float): as for TokenProvider.token(), whenever a request needs a token.

    Returns:
        aiohttp.ClientMiddlewareType: for one session or several.

    Raises:
        TypeError, ConfigurationError: for an argument of a wrong type, or a time-out that cannot work.

    >>> import aiohttp, asyncio
    >>> async def count():
    ...     adapter = clazar_auth.integrations.aiohttp.middleware(provider)
    ...     async with aiohttp.ClientSession(middlewares=[adapter]) as session:
    ...         async with session.get("https://api.clazar.io/listings/") as response:
    ...             return (await response.json())["count"]
    >>> asyncio.run(count())
    3
    """
    _checked(provider, timeout)
    ask = partial(provider.token_async, timeout=timeout)

    async def authorize(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        # Should aiohttp cease to tell, each request counts as the first of its call.
        timer = getattr(request, "_timer", request)
        call = _redirected.get()
        if call is not None and call.timer is not timer:
            call = None
        has_left = call is not None and call.has_left
        try:
            provider.check_url(str(request.url))
        except ConfigurationError:
            if call is None:
                raise
            has_left = True
        response = await (handler(request) if has_left else _send(ask, provider, request, handler))
        if response.status in _REDIRECTS:
            _redirected.set(_Call(timer, has_left))
        return response

    return authorize


async def _send(
    ask: Callable[[], Awaitable[AccessToken]],
    provider: TokenProvider,
    request: ClientRequest,
    handler: ClientHandlerType,
) -> ClientResponse:
    if not request.is_ssl():
        request.proxy = None  # The URL is one of this machine, which the token is not to leave.
    token = await ask()
    request.headers["Authorization"] = token.authorization
    response = await handler(request)
    # A middleware of the program that comes after this one may have put another in its place.
    is_ours = request.headers.get("Authorization") == token.authorization
    if response.status != 401 or not is_ours:
        return response
    provider.invalidate(token)
    if not _has_its_body(request):
        return response
    try:
        fresh = await ask()
        if not is_another(fresh, token):
            return response
        await _leave(response)
    except BaseException:
        response.close()
        raise
    request.headers["Authorization"] = fresh.authorization
    return await handler(request)


async def _leave(response: ClientResponse) -> None:
    """Read a short body, so that the connection is free for the next request; else close it.

    What is compressed is not read: aiohttp decodes it, and a few bytes may become many.
    """
    from aiohttp import ClientError

    # ClientError, which a body is that ends too soon, or ValueError in older versions.
    with suppress(ClientError, OSError, ValueError, asyncio.TimeoutError):
        if is_short(response.headers) and "Content-Encoding" not in response.headers:
            await asyncio.wait_for(response.read(), LONGEST_WAIT)
    response.close()


def _has_its_body(request: ClientRequest) -> bool:
    # aiohttp 3.12.0 does not tell whether a body is gone.
    return not request.body or not getattr(request.body, "consumed", True)
