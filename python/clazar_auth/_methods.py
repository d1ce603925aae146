"""Methods of TokenProvider that are written in Python.

FastAPI and mock know only such functions as coroutine functions. Imported with the package, this imports
nothing itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clazar_auth._native import AccessToken, TokenProvider


def token(self: TokenProvider, wait: float) -> AccessToken:
    # For token(wait=...): a failure that passes in time does not end it.
    from time import monotonic

    from clazar_auth._green import sleep
    from clazar_auth._native import TokenProvider
    from clazar_auth.errors import ClazarAuthError

    end = monotonic() + wait
    while True:
        try:
            # And not self.token(), which a subclass may have replaced by one that calls this.
            return TokenProvider.token(self, timeout=max(0.0, end - monotonic()))
        except ClazarAuthError as error:
            pause = error.retry_after
            if not error.retryable or pause is None or monotonic() + pause > end:
                raise
        # Meanwhile it may be closed, or somebody else may get a token.
        sleep(min(pause, 0.1))


async def token_async(self: TokenProvider, *, timeout: float | None = None) -> AccessToken:
    """As token(), and the same token request, for a task of asyncio or trio: the event loop goes on
    meanwhile, and cancelling one task does not affect the others.

    >>> import asyncio
    >>> asyncio.run(provider.token_async(timeout=5))
    AccessToken([redacted], expires_in=...)
    """
    from clazar_auth import _async

    return await _async.token(self, timeout)


async def headers_async(self: TokenProvider, *, timeout: float | None = None) -> dict[str, str]:
    """As headers(), for a task as in token_async().

    >>> import asyncio
    >>> asyncio.run(provider.headers_async())
    {'Authorization': 'Bearer ...'}
    """
    return {"Authorization": (await self.token_async(timeout=timeout)).authorization}


async def refresh_async(self: TokenProvider, *, timeout: float | None = None) -> AccessToken:
    """As refresh(), for a task as in token_async().

    >>> import asyncio
    >>> asyncio.run(provider.refresh_async())
    AccessToken([redacted], expires_in=...)
    """
    from clazar_auth import _async

    return await _async.token(self, timeout, anew=True)


async def aclose(self: TokenProvider) -> None:
    """As close(), which waits for nothing, for ``contextlib.aclosing``.

    >>> import asyncio
    >>> asyncio.run(provider.aclose())
    """
    self.close()


async def __aenter__(self: TokenProvider) -> TokenProvider:
    return self


async def __aexit__(self: TokenProvider, *_exception: object) -> None:
    self.close()
