"""The provider as ``auth=`` of `requests <https://requests.readthedocs.io>`_."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from clazar_auth import AccessToken, TokenProvider


def authorize(provider: TokenProvider, request: PreparedRequest) -> PreparedRequest:
    """Add the token to a request, if its URL may have it, and retry once if the API answers 401.

    The request is sent again with its whole body; where the body cannot be had again (a generator),
    the 401 is returned as it is.

    Raises:
        ConfigurationError: the URL is not https (or loopback), or its host is not an allowed one.
    """
    provider.check_url(request.url or "")
    token = provider.token()
    request.headers["Authorization"] = token.authorization
    position = _position(request.body)

    def retry(response: Response, **options: Any) -> Response:
        return _retry(provider, token, position, response, options)

    request.register_hook("response", retry)
    return request


def _retry(
    provider: TokenProvider,
    token: AccessToken,
    position: int | None,
    response: Response,
    options: dict[str, Any],
) -> Response:
    request = response.request
    # After a redirect to another origin, requests has taken the token out.
    is_ours = request.headers.get("Authorization") == token.authorization
    if response.status_code != 401 or not is_ours or not _rewind(request.body, position):
        return response
    provider.invalidate(token)
    fresh = provider.token()
    if fresh.value == token.value:
        return response  # The API refuses for another reason.
    # The connection is free for the next request once the body is read.
    response.content  # noqa: B018
    response.close()
    again = request.copy()
    again.headers["Authorization"] = fresh.authorization
    answer = response.connection.send(again, **options)
    answer.history.append(response)
    answer.request = again
    return answer


def _position(body: Any) -> int | None:
    """Where a file starts from; None for what is no file."""
    try:
        return int(body.tell())
    except (AttributeError, OSError):
        return None


def _rewind(body: Any, position: int | None) -> bool:
    """Whether the body can be sent again, from its start."""
    if body is None or isinstance(body, (bytes, str)):
        return True
    if position is None:
        return False
    try:
        body.seek(position)
    except (AttributeError, OSError):
        return False
    return True
