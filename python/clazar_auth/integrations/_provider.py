"""What an adapter is made from."""

from __future__ import annotations

from clazar_auth import TokenProvider


def checked(provider: TokenProvider) -> TokenProvider:
    """The same; what is no provider is refused here, and not when a request is sent."""
    if not isinstance(provider, TokenProvider):
        # Its text is not shown: it may be a token or a secret.
        raise TypeError(f"provider must be a TokenProvider, not {type(provider).__name__}")
    return provider
