"""What can go wrong. The message says what happened, where, and what to do next; no exception
carries a response body, a client secret or a token. All of them pickle."""

from __future__ import annotations


class ClazarAuthError(Exception):
    """Base of all exceptions of this package."""

    http_status: int | None
    """Status code of the API's answer, if one came."""
    retry_after: float | None
    """Seconds to wait before the next request: what the server asked for, or what is left of a
    provider's pause after a failure."""
    retryable: bool
    """Whether the same call may succeed later, with nothing changed."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after = retry_after
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[ClazarAuthError], arguments: tuple[object, ...]) -> ClazarAuthError:
    # Not by calling `kind`: a subclass may take other arguments than the message.
    error = kind.__new__(kind)
    error.args = arguments
    return error


class ConfigurationError(ClazarAuthError, ValueError):
    """An argument, a setting or an environment variable is missing or unusable."""


class TransportError(ClazarAuthError, ConnectionError):
    """Name lookup, connect, reset or proxy: the API was not reached."""


class AuthTimeoutError(TransportError, TimeoutError):
    """The API did not answer in time."""


class TlsError(TransportError):
    """The server's certificate was refused, or TLS failed otherwise."""


class InvalidCredentialsError(ClazarAuthError):
    """The API refused the client id or the secret (401, 403, ``invalid_client``)."""


class RateLimitedError(ClazarAuthError):
    """The API limits the rate of token requests (429)."""


class RejectedError(ClazarAuthError):
    """Another 4xx answer, or a redirect."""


class ServerError(ClazarAuthError):
    """A 5xx answer."""


class InvalidResponseError(ClazarAuthError):
    """The answer is not a token."""


class StoreError(ClazarAuthError, OSError):
    """The store cannot be used."""


class ClosedError(ClazarAuthError):
    """The provider is closed."""


class InternalError(ClazarAuthError):
    """A bug in this package, caught at its boundary."""
