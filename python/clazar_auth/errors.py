"""What can go wrong. The message says what happened, where, and what to do next; no exception
carries a response body, a client secret or a token. All of them pickle.

>>> clazar_auth.TokenProvider("")
Traceback (most recent call last):
    ...
clazar_auth.errors.ConfigurationError: ...
"""

from __future__ import annotations


class ClazarAuthError(Exception):
    """Base of all exceptions of this package.

    >>> sandbox.answer_next(401, b'{"error": "access_denied"}')
    >>> try:
    ...     provider.token()
    ... except clazar_auth.ClazarAuthError as error:
    ...     print(error.http_status, error.code, error.retryable, error.retry_after)
    401 access_denied False ...
    """

    http_status: int | None
    """Status code of the API's answer, if one came."""
    code: str | None
    """What the API calls the error (RFC 6749 section 5.2), such as 'invalid_client', if it did. Of an
    error that another process left in the store, the message alone tells this and request_id."""
    request_id: str | None
    """The answer's x-request-id, for the support of the API, if it had one."""
    retry_after: float | None
    """Seconds to wait before the next request, as the server asked for, or what is left of a
    provider's back-off after a failure."""
    retryable: bool
    """Whether the same call may succeed later, with nothing changed."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.request_id = request_id
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
    """An argument, an option or an environment variable is missing or unusable.

    >>> clazar_auth.TokenProvider.from_env(auth_url="http://example.com/authenticate/")
    Traceback (most recent call last):
        ...
    clazar_auth.errors.ConfigurationError: ...
    """


class TransportError(ClazarAuthError, ConnectionError):
    """Name lookup, connect, reset or proxy: the API was not reached, or its answer broke off.

    >>> sandbox.close()
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.TransportError: ...
    """


class AuthTimeoutError(TransportError, TimeoutError):
    """The API did not answer in time, or answered 408.

    >>> sandbox.set_delay(60)
    >>> provider.token(timeout=0.1)
    Traceback (most recent call last):
        ...
    clazar_auth.errors.AuthTimeoutError: ...
    """


class TlsError(TransportError):
    """The server's certificate was refused, or TLS failed otherwise.

    >>> issubclass(clazar_auth.TlsError, clazar_auth.TransportError)
    True
    """


class InvalidCredentialsError(ClazarAuthError):
    """The API refused the client id or the secret (401, 403 with a JSON body, ``invalid_client``).

    >>> _ = sandbox.rotate_secret()
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.InvalidCredentialsError: ...
    """


class RateLimitedError(ClazarAuthError):
    """The API limits the rate of token requests (429).

    >>> sandbox.answer_next(429, headers={"Retry-After": "70"})
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.RateLimitedError: ...
    """


class RejectedError(ClazarAuthError):
    """Another 4xx answer, or a redirect.

    >>> sandbox.answer_next(307, headers={"Location": "https://example.com/"})
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.RejectedError: ...
    """


class ServerError(ClazarAuthError):
    """A 5xx answer, or 425.

    >>> sandbox.answer_next(501)
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.ServerError: ...
    """


class InvalidResponseError(ClazarAuthError):
    """The answer is not a token.

    >>> sandbox.answer_next(200, b"{}")
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.InvalidResponseError: ...
    """


class StoreError(ClazarAuthError, OSError):
    """The store cannot be used.

    >>> issubclass(clazar_auth.StoreError, OSError)
    True
    """


class ClosedError(ClazarAuthError):
    """The provider is closed.

    >>> provider.close()
    >>> provider.token()
    Traceback (most recent call last):
        ...
    clazar_auth.errors.ClosedError: ...
    """


class InternalError(ClazarAuthError):
    """A bug in this library, caught at its boundary.

    >>> issubclass(clazar_auth.InternalError, clazar_auth.ClazarAuthError)
    True
    """
