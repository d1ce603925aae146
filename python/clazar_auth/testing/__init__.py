"""For tests of programs that use this package: no network, no real credentials."""

from __future__ import annotations

from typing import Any

from clazar_auth import AccessToken, TokenProvider, _native

__all__ = ["Sandbox", "StaticProvider"]


class Sandbox(_native.Sandbox):
    """A stand-in for the Clazar API on a free loopback port; a context manager that stops it.

    It answers ``POST /authenticate/`` (JSON or form-encoded), ``GET`` of ``/listings/``,
    ``/buyers/``, ``/contracts/`` and ``/private_offers/``, and ``POST /metering/``, all but the
    first behind a check of the bearer token. Thread-safe.

    >>> with Sandbox() as sandbox:
    ...     token = sandbox.provider().token()
    ...     sandbox.requests("/authenticate/")
    1
    """

    def provider(self, **options: Any) -> TokenProvider:
        """A provider with the sandbox's credentials; options as for TokenProvider."""
        options.setdefault("auth_url", self.auth_url)
        return TokenProvider(self.client_id, self.client_secret, **options)


class StaticProvider(TokenProvider):
    """A provider that always has the same token and sends no request: for code that takes a
    provider, where the API itself is replaced or not called at all. Thread-safe.

    Args:
        value: the text of the token; it lives for a day.
        options: as for TokenProvider, such as ``allowed_hosts``.

    Raises:
        ConfigurationError: for an option that cannot work.

    >>> provider = StaticProvider("not-a-real-token")
    >>> provider.headers()
    {'Authorization': 'Bearer not-a-real-token'}
    """

    def __new__(cls, value: str = "not-a-real-token", **options: Any) -> StaticProvider:
        # Nothing is sent to this URL; a loopback one needs neither certificates nor a proxy.
        options.setdefault("auth_url", "http://127.0.0.1/authenticate/")
        provider = super().__new__(cls, "static", "not-a-real-secret" * 2, **options)
        provider._use(value)
        return provider

    def refresh(self) -> AccessToken:
        """The same token again."""
        return self.token()

    def invalidate(self, token: AccessToken) -> None:
        """Keep the token."""
