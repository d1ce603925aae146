"""For tests of programs that use this package: no network, no real credentials."""

from __future__ import annotations

from typing import Any

from clazar_auth import TokenProvider, _native

__all__ = ["Sandbox"]


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
