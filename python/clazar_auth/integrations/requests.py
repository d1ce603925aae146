"""The provider as ``auth=`` of `requests <https://requests.readthedocs.io>`_."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import PreparedRequest

    from clazar_auth import TokenProvider


def authorize(provider: TokenProvider, request: PreparedRequest) -> PreparedRequest:
    """Add the token to a request, if its URL may have it.

    Raises:
        ConfigurationError: the URL is not https (or loopback), or its host is not an allowed one.
    """
    provider.check_url(request.url or "")
    request.headers["Authorization"] = provider.authorization()
    return request
