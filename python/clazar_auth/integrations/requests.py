"""The provider as ``auth=`` of `requests <https://requests.readthedocs.io>`_."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from clazar_auth import AccessToken, TokenProvider


def authorize(provider: TokenProvider, request: PreparedRequest) -> PreparedRequest:
    """Add the token to a request, if its URL may have it, and retry once if the API answers 401.

    The request is sent again with its whole body; where the body cannot be had again (a generator),
    the 401 is returned as it is.

    Raises:
        ConfigurationError: the URL is not https (or loopback), or its host is not an allowed one.
        ClazarAuthError: no token could be had, at first or after a 401.
    """
    provider.check_url(request.url or "")
    token = provider.token()
    request.headers["Authorization"] = token.authorization
    request.register_hook("response", _Retry(provider, token, _position(request.body)))
    return request


class _Retry:
    """Answers a 401 with a fresh token, once."""

    def __init__(self, provider: TokenProvider, token: AccessToken, position: int | None) -> None:
        self._provider = provider
        self._token = token
        self._position = position

    def __call__(self, response: Response, **options: Any) -> Response:
        request = response.request
        # After a redirect to another origin, requests has taken the token out.
        is_ours = request.headers.get("Authorization") == self._token.authorization
        if response.status_code != 401 or not is_ours or not self._rewind(request.body):
            return response
        self._provider.invalidate(self._token)
        fresh = self._provider.token()
        if fresh.value == self._token.value:
            return response  # The API refuses for another reason.
        # The connection is free for the next request once the body is read.
        response.content  # noqa: B018
        response.close()
        again = request.copy()
        again.headers["Authorization"] = fresh.authorization
        answer: Response = response.connection.send(again, **options)
        answer.history.append(response)
        answer.request = again
        return answer

    def _rewind(self, body: Any) -> bool:
        """Whether the body can be sent again, from its start."""
        if body is None or isinstance(body, (bytes, str)):
            return True
        if self._position is None:
            return False
        try:
            body.seek(self._position)
        except (AttributeError, OSError):
            return False
        return True

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        # A response is pickled with its request and its hooks, but never with a token.
        return _no_retry, ()


def _no_retry() -> Callable[..., None]:
    return _pass_on


def _pass_on(response: Response, **options: Any) -> None:
    pass


def _position(body: Any) -> int | None:
    """Where a file starts from; None for what is no file."""
    try:
        return int(body.tell())
    except (AttributeError, OSError):
        return None
