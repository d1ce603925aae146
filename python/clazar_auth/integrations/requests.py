"""The provider as ``auth=`` of `requests <https://requests.readthedocs.io>`_.

>>> import requests
>>> requests.get("https://api.clazar.io/listings/", auth=provider).json()["count"]
3
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clazar_auth._native import _checked
from clazar_auth.integrations._proxies import refusal
from clazar_auth.integrations._renewal import (
    LONGEST_REFUSAL,
    ONE_READ,
    in_time,
    is_another,
    is_short,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from clazar_auth import AccessToken, TokenProvider

__all__ = ["Auth"]


class Auth:
    """Add the token to each request whose URL may have it, and retry once if the API answers 401.

    A provider itself is the same without a time-out. Requests does not tell an auth object of that of
    a call.

    The request is sent again with its whole body; where the body cannot be had again (a generator),
    the 401 is returned as it is, and the next request has a fresh token. After a redirect to
    another origin all requests of that call go without the token. After one within the origin,
    requests prefers what .netrc says; if the API answers 401 to that, the request is sent again
    with the token. Thread-safe.

    A request raises ConfigurationError if its URL is not https (or loopback), its host is not an
    allowed one, or it is a plain-http one for which the environment names a proxy; and another
    ClazarAuthError if no token could be had, at first or after a 401.

    Args:
        provider (TokenProvider): where the token comes from.
        timeout (float): as for TokenProvider.token(), whenever a request needs a token.

    Raises:
        TypeError, ConfigurationError: for an argument of a wrong type, or a time-out that cannot work.

    >>> import requests
    >>> auth = clazar_auth.integrations.requests.Auth(provider, timeout=5)
    >>> url = "https://api.clazar.io/listings/"
    >>> requests.get(url, auth=auth, timeout=5).json()["count"]
    3
    """

    def __init__(self, provider: TokenProvider, *, timeout: float | None = None) -> None:
        self._provider = _checked(provider, timeout)
        self._timeout = timeout

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not hasattr(request, "hooks"):
            raise TypeError(
                f"{type(request).__module__} is not requests; "
                "see clazar_auth.integrations for its adapter"
            )
        self._provider.check_url(request.url or "")
        _check_proxy(request.url or "")
        self._give(request, self._token())
        return request

    def _token(self) -> AccessToken:
        return self._provider.token(timeout=self._timeout)

    def _give(self, request: PreparedRequest, token: AccessToken) -> None:
        """Put the token into a request, in place of an earlier one."""
        request.headers["Authorization"] = token.authorization
        _hook(request, _Retry(self, token, request))


def _check_proxy(url: str) -> None:
    """Refuse a proxy of the environment; of a session's own, an auth object is not told."""
    utils: Any = sys.modules.get("requests.utils")
    if utils is None or urlsplit(url).scheme != "http":
        return  # Another library's request goes where that library says.
    if utils.select_proxy(url, utils.get_environ_proxies(url)):
        raise refusal(url)


def _hook(request: PreparedRequest, *retries: _Retry) -> None:
    """Put these ahead of the program's hooks: one that raises is not to keep a 401 from them."""
    others = [hook for hook in request.hooks["response"] if not isinstance(hook, _Retry)]
    # Anew, since the copies of a request share its hooks.
    request.hooks = {**request.hooks, "response": [*retries, *others]}


def _retries(request: PreparedRequest) -> list[_Retry]:
    return [hook for hook in request.hooks["response"] if isinstance(hook, _Retry)]


class _Retry:
    """Answers a 401 to this token with a fresh one, once."""

    def __init__(self, auth: Auth, token: AccessToken, request: PreparedRequest) -> None:
        self._auth = auth
        self._token = token
        self._origin = _origin(request)
        self._position = _position(request.body)

    def __call__(self, response: Response, **options: Any) -> Response:
        request = response.request
        is_ours = self._is_ours(request)
        if not is_ours and _origin(request) != self._origin:
            _hook(request)  # A redirect that leads back from elsewhere is not to bring the token.
            return response
        if response.status_code != 401 or not (is_ours or _is_of_netrc(request)):
            return response
        if is_ours:
            self._auth._provider.invalidate(self._token)
        # A transport adapter of the program need not tell its connection.
        has_connection = getattr(response, "connection", None) is not None
        if not has_connection or not self._rewind(request.body):
            return response
        try:
            token = self._auth._token()
        except BaseException:
            response.close()
            raise
        if is_ours and not is_another(token, self._token):
            return response
        _leave(response)
        return self._send_again(response, token, **options)

    def _is_ours(self, request: PreparedRequest) -> bool:
        # Another thread that sends the same request may have put a fresh token into it meanwhile.
        tokens = [retry._token.authorization for retry in (self, *_retries(request))]
        return request.headers.get("Authorization") in tokens

    def _send_again(self, response: Response, token: AccessToken, **options: Any) -> Response:
        # What follows a redirect is made from the first request.
        self._auth._give(response.request, token)
        again = response.request.copy()
        answer: Response = response.connection.send(again, **options)
        answer.history.append(response)
        return answer

    def _rewind(self, body: Any) -> bool:
        """Whether the body can be sent again, from its start."""
        if body is None or isinstance(body, (bytes, bytearray, memoryview, str)):
            return True
        if self._position is None:
            return False
        try:
            body.seek(self._position)
        except (AttributeError, OSError, ValueError):  # ValueError: it was closed.
            return False
        return True

    def __deepcopy__(self, _memo: object) -> _Retry:
        return self

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        # A response is pickled with its request and its hooks. The request's headers have the token
        # then, as any authorization; the hook does not add the provider to it.
        return _no_retry, ()


def _no_retry() -> Callable[..., None]:
    return _pass_on


def _pass_on(response: Response, **options: Any) -> None:
    pass


def _is_of_netrc(request: PreparedRequest) -> bool:
    """Whether its authorization is what requests puts in the token's place after a redirect."""
    requests: Any = sys.modules.get("requests")
    credentials = requests and requests.utils.get_netrc_auth(request.url)
    if not credentials:
        return False
    like_it = requests.auth.HTTPBasicAuth(*credentials)(request.copy()).headers
    return bool(request.headers.get("Authorization") == like_it["Authorization"])


def _leave(response: Response) -> None:
    """Read a short body, so that the connection is free for the next request; else close it."""
    if response._content_consumed:  # type: ignore[attr-defined]
        return  # A transport adapter has read it.
    body = _read(response.raw) if is_short(response.headers) else b""
    response.close()
    # Nobody is to decode what is compressed: a few bytes may become many.
    response._content = b"" if "Content-Encoding" in response.headers else body
    response._content_consumed = True  # type: ignore[attr-defined]


def _read(raw: Any) -> bytes:
    from urllib3.exceptions import HTTPError

    # An older urllib3 has no read1(), and read() waits for all that is asked for.
    socket = getattr(getattr(raw, "connection", None), "sock", None)
    if socket is None or not hasattr(raw, "read1"):
        return b""
    # urllib3 sets it anew for each request.
    socket.settimeout(min(ONE_READ, socket.gettimeout() or ONE_READ))
    with suppress(OSError, HTTPError):
        return in_time(iter(lambda: raw.read1(LONGEST_REFUSAL, decode_content=False), b""))
    return b""


def _origin(request: PreparedRequest) -> tuple[str, str]:
    return urlsplit(request.url or "")[:2]


def _position(body: Any) -> int | None:
    """Where a file starts from; None for what is no file."""
    try:
        return int(body.tell())
    except (AttributeError, OSError, ValueError):
        return None
