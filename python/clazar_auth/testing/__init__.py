"""For tests of programs that use this package: no network, no real credentials.

>>> provider = clazar_auth.testing.StaticProvider()
>>> provider.token().value
'not-a-real-token'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clazar_auth import AccessToken, TokenProvider, _native

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Sandbox", "StaticProvider"]


class Sandbox(_native.Sandbox):
    """A stand-in for the Clazar API on a loopback port; a context manager that stops it.

    It answers ``POST /authenticate/`` (JSON or form-encoded), ``GET`` of ``/listings/``,
    ``/buyers/``, ``/contracts/``, ``/private_offers/``, ``/opportunities/`` and
    ``/analytics/datasets/...`` in pages, and ``POST /metering/`` with a status for each record;
    all but the first behind a check of the bearer token. Thread-safe. A subclass gives its arguments on in
    ``__new__``, since ``__init__`` takes none.

    Args:
        lifetime (float): as for set_lifetime().
        delay (float): as for set_delay().
        port (int): where it listens. Default: a free one.

    Raises:
        ConfigurationError: for a number that cannot work.

    >>> with clazar_auth.testing.Sandbox() as sandbox:
    ...     token = sandbox.provider().token()
    ...     sandbox.requests("/authenticate/")
    1
    """

    def provider(self, **options: Any) -> TokenProvider:
        """A provider with the sandbox's credentials.

        Args:
            options: as for TokenProvider, such as ``timeout`` or another ``client_secret``.

        Raises:
            ConfigurationError: for an option that cannot work.
            ClosedError: the sandbox is closed.

        >>> sandbox.provider(timeout=5)
        TokenProvider(client_id='...', auth_url='http://127.0.0.1:.../authenticate/')
        """
        settings: dict[str, Any] = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "auth_url": self.auth_url,
        }
        try:
            settings.update(options)
            return TokenProvider(**settings)
        finally:
            del settings, options  # A traceback may show what a function holds.


class StaticProvider(TokenProvider):
    """A provider that always has the same token and sends no request: for code that takes a
    provider, where the API itself is replaced or not called at all. Thread-safe.

    Args:
        value (str): the text of the token; it is valid for a day.
        options: as for TokenProvider, such as ``allowed_hosts``; client_secret_file and
            client_secret_fallback are left unread.

    Raises:
        ConfigurationError: for an option that cannot work.

    >>> provider = clazar_auth.testing.StaticProvider("not-a-real-token")
    >>> provider.headers()
    {'Authorization': 'Bearer not-a-real-token'}
    """

    def __new__(cls, value: str = "not-a-real-token", **options: Any) -> StaticProvider:
        # Nothing is sent to this URL; a loopback one needs neither certificates nor a proxy.
        options.setdefault("auth_url", "http://127.0.0.1/authenticate/")
        # There may be no such file where tests run.
        options.pop("client_secret_file", None)
        options.pop("client_secret_fallback", None)
        try:
            provider = super().__new__(cls, "static", "not-a-real-secret" * 2, **options)
            provider._use(value)
            return provider
        finally:
            del value, options  # A traceback may show what a function holds.

    @classmethod
    def from_env(
        cls, *, client_id: str | None = None, client_secret: object = None, **options: Any
    ) -> Self:
        """A provider with these options alone: neither the environment nor the credentials are read.

        >>> clazar_auth.testing.StaticProvider.from_env().token().value
        'not-a-real-token'
        """
        try:
            return cls(**options)
        finally:
            del client_secret, options

    def refresh(self, *, timeout: float | None = None) -> AccessToken:
        """The same token again.

        >>> clazar_auth.testing.StaticProvider().refresh()
        AccessToken([redacted], expires_in=...)
        """
        return self.token()

    async def refresh_async(self, *, timeout: float | None = None) -> AccessToken:
        return self.token()

    def invalidate(self, token: AccessToken) -> None:
        """Keep the token.

        >>> provider = clazar_auth.testing.StaticProvider()
        >>> provider.invalidate(provider.token())
        >>> provider.peek()
        AccessToken([redacted], expires_in=...)
        """
