"""A plain-http URL is one of this machine: its token does not leave that, not even for a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

from clazar_auth.errors import ConfigurationError


def refusal(url: str) -> ConfigurationError:
    """What to raise in place of sending the token through a proxy."""
    host = urlsplit(url).hostname
    return ConfigurationError(
        f"a proxy would get the token of a request to {host} in clear text, although that is this "
        f"machine; add {host} to NO_PROXY, or use no proxy, so that the request goes there directly"
    )
