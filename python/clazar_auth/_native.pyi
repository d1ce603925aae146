from collections.abc import Coroutine, Iterable, Mapping
from datetime import datetime
from os import PathLike
from typing import Any, TypeAlias, TypeVar, final

from typing_extensions import Self, disjoint_base

_Path: TypeAlias = str | PathLike[str]
_Request = TypeVar("_Request")

__all__ = [
    "AccessToken",
    "Exchanges",
    "Pending",
    "Sandbox",
    "Stats",
    "TokenProvider",
    "Waker",
    "__version__",
    "_examine",
    "authenticate",
]

__version__: str

def authenticate(
    client_id: str,
    client_secret: str | None = None,
    *,
    client_secret_file: _Path | None = None,
    client_secret_fallback: str | None = None,
    auth_url: str | None = None,
    ca_file: _Path | None = None,
    proxy: str | None = None,
    timeout: float | None = None,
    user_agent: str | None = None,
    trust_env: bool | None = None,
    system_roots: bool | None = None,
) -> AccessToken:
    """Exchange a client id and secret for a new access token: one exchange, and nothing is kept.

    A program that needs the token more than once is better served by a TokenProvider. Thread-safe.

    Args:
        client_id (str): the client id.
        client_secret (str): the client secret; or pass client_secret_file.
        client_secret_file (str or os.PathLike): path of a file that holds the secret; a newline at
            its end is dropped. It is read again when the API refuses the secret.
        client_secret_fallback (str): a second secret, for the time of a rotation: tried once when
            the first is refused.
        auth_url (str): https, or http to a loopback host. Default:
            https://api.clazar.io/authenticate/
        ca_file (str or os.PathLike): path of a PEM file of certificate authorities to trust besides
            the system's, or of a folder of such files.
        proxy (str): URL of an HTTP proxy for https; '' means none. Default: the environment's
            HTTPS_PROXY, except for the hosts in NO_PROXY.
        timeout (float): seconds for the whole exchange. Default: 20.
        user_agent (str): the User-Agent header. Default: clazar-auth/<version>
        trust_env (bool): whether the environment may name a proxy (HTTPS_PROXY, NO_PROXY), and the
            authorities to trust in place of the system's (SSL_CERT_FILE, SSL_CERT_DIR).
            Default: True.
        system_roots (bool): whether to trust the system's authorities, or those that the
            environment names in their place; else those of ca_file alone. Default: True.

    Returns:
        AccessToken: a new one.

    Raises:
        ConfigurationError: for an argument that cannot work.
        ClazarAuthError: another of its subclasses, by what went wrong.

    >>> clazar_auth.authenticate(
    ...     sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url
    ... )
    AccessToken([redacted], expires_in=...)
    """

def _examine(
    store: str | None = None,
) -> list[tuple[str, str, str, str | None]]: ...

@final
class AccessToken:
    """An access token of the Clazar API. Immutable and thread-safe.

    Its ``repr`` and ``str`` show no part of the token.

    >>> provider.token()
    AccessToken([redacted], expires_in=...)
    """
    @property
    def value(self) -> str:
        """str: The token itself. What Python made a str of, Python keeps in memory.

        >>> provider.token().value.count(".")  # It is a JWT.
        2
        """
    @property
    def authorization(self) -> str:
        """str: The value of the Authorization header (RFC 6750 section 2.1).

        >>> provider.token().authorization
        'Bearer ...'
        """
    @property
    def token_type(self) -> str:
        """str: Always 'Bearer' (RFC 6750).

        >>> provider.token().token_type
        'Bearer'
        """
    @property
    def expires_at(self) -> datetime:
        """datetime.datetime: When the token dies; aware, in UTC.

        >>> provider.token().expires_at.isoformat(timespec="seconds")
        '20...+00:00'
        """
    @property
    def expires_in(self) -> float:
        """float: Seconds that the token still lives; 0.0 once it is dead.

        >>> provider.token().expires_in > 3600
        True
        """
    @property
    def expired(self) -> bool:
        """bool: Whether the token is dead.

        >>> provider.token().expired
        False
        """
    @property
    def fingerprint(self) -> str:
        """str: Eight hexadecimal digits that tell tokens apart and tell nothing of them.

        >>> len(provider.token().fingerprint)
        8
        """

@disjoint_base
class TokenProvider:
    """Hands out an access token that is fresh, and gets a new one when it is due.

    Thread-safe: all threads share one token, and however many wait, one request is sent. No request
    is sent before the first token is asked for. Works as ``auth=`` of requests, and as a context
    manager that closes it.

    Args:
        client_id (str): the client id.
        client_secret (str): the client secret; or pass client_secret_file.
        client_secret_file (str or os.PathLike): path of a file that holds the secret; a newline at
            its end is dropped. It is read again when the API refuses the secret.
        client_secret_fallback (str): a second secret, for the time of a rotation: tried once when
            the first is refused.
        auth_url (str): https, or http to a loopback host. Default:
            https://api.clazar.io/authenticate/
        ca_file (str or os.PathLike): path of a PEM file of certificate authorities to trust besides
            the system's, or of a folder of such files. It is read again when it has changed or a
            certificate was refused.
        proxy (str): URL of an HTTP proxy for https; '' means none. Default: the environment's
            HTTPS_PROXY, except for the hosts in NO_PROXY.
        timeout (float): seconds for one whole exchange. Default: 20.
        user_agent (str): the User-Agent header. Default: clazar-auth/<version>
        allowed_hosts (list[str]): hosts to which the token may go, each as 'host' or 'host:port'
            (port 443 if unsaid), without wildcards; any other iterable will do. Default:
            api.clazar.io, and the host and port of auth_url.
        store (str or os.PathLike): where to keep the token besides memory, for other processes:
            'memory' (nowhere else), 'file' (a file of this user's), the path of a folder, or the
            URL of a Redis or Valkey, such as 'rediss://user:password@host:6379/0'. It is sealed
            with the client secret, which must have at least 32 characters. Default: 'memory'.
        trust_env (bool): whether the environment may name a proxy (HTTPS_PROXY, NO_PROXY), the
            authorities to trust in place of the system's (SSL_CERT_FILE, SSL_CERT_DIR), and the
            folder of the store 'file', which cannot be used without. from_env() reads its own
            variables whatever is said here. Default: True.
        system_roots (bool): whether to trust the system's authorities, or those that the
            environment names in their place; else those of ca_file alone. Default: True.

    Raises:
        ConfigurationError: for an argument that cannot work.
        TransportError: if a file cannot be read now, and may be later.
        TypeError: for an argument of a wrong type.

    >>> with clazar_auth.TokenProvider(
    ...     sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url
    ... ) as provider:
    ...     provider.headers()
    {'Authorization': 'Bearer ...'}
    """
    def __new__(
        cls,
        client_id: str,
        client_secret: str | None = None,
        *,
        client_secret_file: _Path | None = None,
        client_secret_fallback: str | None = None,
        auth_url: str | None = None,
        ca_file: _Path | None = None,
        proxy: str | None = None,
        timeout: float | None = None,
        user_agent: str | None = None,
        allowed_hosts: Iterable[str] | None = None,
        store: _Path | None = None,
        trust_env: bool | None = None,
        system_roots: bool | None = None,
    ) -> Self: ...
    @staticmethod
    def from_env(
        *,
        client_secret_file: _Path | None = None,
        client_secret_fallback: str | None = None,
        auth_url: str | None = None,
        ca_file: _Path | None = None,
        proxy: str | None = None,
        timeout: float | None = None,
        user_agent: str | None = None,
        allowed_hosts: Iterable[str] | None = None,
        store: _Path | None = None,
        trust_env: bool | None = None,
        system_roots: bool | None = None,
    ) -> TokenProvider:
        """A provider from CLAZAR_CLIENT_ID, CLAZAR_CLIENT_SECRET or CLAZAR_CLIENT_SECRET_FILE,
        CLAZAR_AUTH_URL and CLAZAR_STORE, which are read now and never again.

        Keyword arguments are those of TokenProvider, and come before the environment.

        Returns:
            TokenProvider: it sends nothing before the first token is asked for.

        Raises:
            ConfigurationError: for a variable or an argument that is missing or cannot work.

        >>> clazar_auth.TokenProvider.from_env(timeout=5)
        TokenProvider(client_id='...', auth_url='http://127.0.0.1:.../authenticate/')
        """
    def token(self, *, timeout: float | None = None) -> AccessToken:
        """A token that lives: from memory as long as it is fresh; when it is due, it is renewed in the
        background.

        This thread waits for an exchange only if there is no live token, or at most a second in a
        token's last part; whoever waits at the same time shares its token or its failure. No call
        waits longer than the provider's timeout and a second, or with a store twice that timeout and
        three seconds, whatever becomes of the request. After a
        failure, and until the next exchange is due, callers without a live token get the error at
        once, with the time left as retry_after. Ctrl-C ends the wait, not the exchange.

        Args:
            timeout (float): seconds that this call waits at the most; the exchange goes on after
                that. Default: the whole exchange.

        Returns:
            AccessToken: one that lives now.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> provider.token(timeout=5)
        AccessToken([redacted], expires_in=...)
        """
    def token_async(
        self, *, timeout: float | None = None
    ) -> Coroutine[Any, Any, AccessToken]:
        """The same token and the same exchange as token(), for a task of asyncio or trio: the event
        loop goes on meanwhile, and cancelling one task harms no other.

        Args:
            timeout (float): seconds that this call waits at the most; the exchange goes on after
                that. Default: the whole exchange.

        Returns:
            AccessToken: one that lives now, when awaited.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> import asyncio
        >>> asyncio.run(provider.token_async(timeout=5))
        AccessToken([redacted], expires_in=...)
        """
    def headers_async(
        self, *, timeout: float | None = None
    ) -> Coroutine[Any, Any, dict[str, str]]:
        """A header with the token, which it gets as token_async() does.

        Args:
            timeout (float): seconds that this call waits at the most; the exchange goes on after
                that. Default: the whole exchange.

        Returns:
            dict[str, str]: a new one with each call, when awaited.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> import asyncio
        >>> asyncio.run(provider.headers_async())
        {'Authorization': 'Bearer ...'}
        """
    def _ask(self, timeout: float | None) -> AccessToken | Pending: ...
    def authorization(self) -> str:
        """The value of the Authorization header (RFC 6750 section 2.1); gets the token as token()
        does.

        Returns:
            str: 'Bearer ', and the token.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> provider.authorization()
        'Bearer ...'
        """
    def headers(self) -> dict[str, str]:
        """A header with the token, which it gets as token() does.

        Returns:
            dict[str, str]: a new one with each call.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> provider.headers()
        {'Authorization': 'Bearer ...'}
        """
    def peek(self) -> AccessToken | None:
        """The token in memory if it lives, without any I/O.

        Returns:
            AccessToken or None: None without a live token.

        >>> provider.peek() is None  # None was asked for yet.
        True
        """
    def refresh(self) -> AccessToken:
        """A token from a new exchange, or from the one that is under way.

        It does not wait for the provider's own back-off after a failure; nor, once in 30 s, for as
        long as the server asked for. On failure a live token stays in use.

        Returns:
            AccessToken: a new one.

        Raises:
            ClazarAuthError: one of its subclasses, by what went wrong.

        >>> old = provider.token()
        >>> provider.refresh().value == old.value
        False
        """
    def invalidate(self, token: AccessToken) -> None:
        """Take a token out of use, because the API answered 401 to it.

        Nothing happens if the token in use is already another, so each of many threads may call
        this; nor if a token was replaced for this reason less than 30 seconds ago, since the API
        then refuses for another one. A 403 is no reason to call this.

        Args:
            token (AccessToken): the one that was refused.

        >>> provider.invalidate(provider.token())
        >>> provider.peek() is None
        True
        """
    def stats(self) -> Stats:
        """What the provider did so far, and how it is now.

        Returns:
            Stats: as of now; it does not change any more.

        >>> _ = provider.token()
        >>> provider.stats().empty
        Exchanges(succeeded=1, failed=0)
        """
    def seal(self) -> bytes:
        """The token, got as token() gets it, sealed with the client secret, for keeping anywhere.

        Only a provider with the same client, URL and secret can take it, with unseal().

        Returns:
            bytes: the same format as in the stores.

        Raises:
            ConfigurationError: the client secret has fewer than 32 characters.
            ClazarAuthError: there is no token, and none can be had.

        >>> blob = provider.seal()
        >>> provider.token().value.encode() in blob
        False
        """
    def unseal(self, blob: bytes | bytearray | memoryview) -> None:
        """Take the token of a blob that seal() made into use, unless the one in use lives longer.

        Args:
            blob (bytes): what seal() gave, in this process or another.

        Raises:
            ConfigurationError: the blob is not one of this client's and its present secret's, or
                its token is dead or was invalidated.

        >>> other = sandbox.provider()
        >>> other.unseal(provider.seal())
        >>> other.token().value == provider.token().value
        True
        """
    def _use(self, value: str) -> AccessToken: ...
    def _stored(self) -> tuple[AccessToken | None, str]: ...
    def _forget(self) -> None: ...
    def check_url(self, url: str) -> None:
        """Check that a request to url may carry the token: https, or http to a loopback host, to one
        of allowed_hosts.

        Args:
            url (str): of the request that the program is about to send.

        Raises:
            ConfigurationError: saying why not.

        >>> provider.check_url("https://api.clazar.io/listings/")
        >>> provider.check_url("https://example.com/listings/")
        Traceback (most recent call last):
            ...
        clazar_auth.errors.ConfigurationError: ...example.com...
        """
    def close(self) -> None:
        """End the exchange under way and drop the token.

        From now on, and for those that wait, each call raises ClosedError. Closing twice does
        nothing.

        >>> provider.close()
        >>> provider.token()
        Traceback (most recent call last):
            ...
        clazar_auth.errors.ClosedError: ...
        """
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __call__(self, request: _Request) -> _Request: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Exchanges:
    """Exchanges that have ended, each with all its attempts.

    >>> provider.stats().empty
    Exchanges(succeeded=0, failed=0)
    """
    @property
    def succeeded(self) -> int:
        """int: Those that brought a token.

        >>> _ = provider.token()
        >>> provider.stats().empty.succeeded
        1
        """
    @property
    def failed(self) -> int:
        """int: Those that did not.

        >>> provider.stats().empty.failed
        0
        """
    def __eq__(self, value: object, /) -> bool: ...

@final
class Stats:
    """What a provider did since it was made, and how it is now.

    >>> provider.stats()
    Stats(empty=Exchanges(succeeded=0, failed=0), ...)
    """
    @property
    def empty(self) -> Exchanges:
        """Exchanges: Exchanges because there was no live token.

        >>> _ = provider.token()
        >>> provider.stats().empty
        Exchanges(succeeded=1, failed=0)
        """
    @property
    def ahead(self) -> Exchanges:
        """Exchanges: Exchanges ahead of a live token's end.

        >>> provider.stats().ahead
        Exchanges(succeeded=0, failed=0)
        """
    @property
    def refresh(self) -> Exchanges:
        """Exchanges: Exchanges because refresh() was called.

        >>> _ = provider.refresh()
        >>> provider.stats().refresh
        Exchanges(succeeded=1, failed=0)
        """
    @property
    def invalidated(self) -> Exchanges:
        """Exchanges: Exchanges because a token was invalidated.

        >>> provider.invalidate(provider.token())
        >>> _ = provider.token()
        >>> provider.stats().invalidated
        Exchanges(succeeded=1, failed=0)
        """
    @property
    def waited(self) -> int:
        """int: Calls that waited for an exchange.

        >>> _ = provider.token()
        >>> provider.stats().waited
        1
        """
    @property
    def served_stale(self) -> int:
        """int: Tokens handed out past their refresh point.

        >>> provider.stats().served_stale
        0
        """
    @property
    def invalidations(self) -> int:
        """int: Tokens taken out of use by invalidate().

        >>> provider.invalidate(provider.token())
        >>> provider.stats().invalidations
        1
        """
    @property
    def store_hits(self) -> int:
        """int: Tokens found in the store.

        >>> provider.stats().store_hits
        0
        """
    @property
    def store_misses(self) -> int:
        """int: Exchanges made because the store had no usable token.

        >>> provider.stats().store_misses
        0
        """
    @property
    def expires_in(self) -> float | None:
        """float or None: Seconds that the token in memory still lives; None without one.

        >>> provider.stats().expires_in is None
        True
        """
    @property
    def backoff(self) -> float | None:
        """float or None: Seconds for which no exchange is started after a failure; None if one may
        start.

        >>> provider.stats().backoff is None
        True
        """
    def __eq__(self, value: object, /) -> bool: ...

@final
class Pending:
    """A wait for an exchange."""
    def wake(self, waker: Waker) -> None:
        """Make the waker's descriptor readable when the exchange ends."""
    def left(self) -> float | None:
        """Seconds until the wait ends at the latest; None if it is the exchange that ends it."""
    def done(self) -> bool:
        """Whether the wait is over."""
    def result(self) -> AccessToken | None:
        """The token; None if the wait goes on."""

@final
class Waker:
    """A descriptor that becomes readable when something has ended."""
    def __new__(cls) -> Self: ...
    def fileno(self) -> int: ...
    def drain(self) -> None:
        """Make it unreadable again."""

@disjoint_base
class Sandbox:
    """A stand-in for the Clazar API on loopback; see clazar_auth.testing.Sandbox."""
    def __new__(cls, *, lifetime: float | None = None, delay: float | None = None) -> Self: ...
    @property
    def url(self) -> str:
        """str: Where it listens, without a slash at the end.

        >>> sandbox.url
        'http://127.0.0.1:...'
        """
    @property
    def auth_url(self) -> str:
        """str: Where to authenticate.

        >>> sandbox.auth_url == sandbox.url + "/authenticate/"
        True
        """
    @property
    def client_id(self) -> str:
        """str: The one client id that the sandbox knows.

        >>> sandbox.provider()
        TokenProvider(client_id='...', auth_url='http://127.0.0.1:.../authenticate/')
        """
    @property
    def client_secret(self) -> str:
        """str: The client secret that works now, of at least 32 characters.

        >>> len(sandbox.client_secret) >= 32
        True
        """
    def set_lifetime(self, seconds: float) -> None:
        """Let new tokens live for so long. Default: 86,400 seconds.

        Args:
            seconds (float): from 0 up.

        Raises:
            ConfigurationError: for another number.
            ClosedError: the sandbox is closed.

        >>> sandbox.set_lifetime(60)
        >>> provider.token().expires_in <= 60
        True
        """
    def set_delay(self, seconds: float) -> None:
        """Let POST /authenticate/ wait for so long before it answers. Default: 0 seconds.

        Args:
            seconds (float): from 0 up.

        Raises:
            ConfigurationError: for another number.
            ClosedError: the sandbox is closed.

        >>> sandbox.set_delay(60)
        >>> provider.token(timeout=0.1)
        Traceback (most recent call last):
            ...
        clazar_auth.errors.AuthTimeoutError: ...
        """
    def answer_next(
        self,
        status: int,
        body: bytes = ...,
        *,
        headers: Mapping[str, str] = ...,
        path: str = "/authenticate/",
    ) -> None:
        """Answer the next request to path with this; several answers wait in line.

        Args:
            status (int): the HTTP status code.
            body (bytes): the body as it is sent.
            headers (dict[str, str]): headers besides Content-Length.
            path (str): the path of the request's URL.

        Raises:
            ClosedError: the sandbox is closed.

        >>> sandbox.answer_next(429, headers={"Retry-After": "70"})
        >>> provider.token()
        Traceback (most recent call last):
            ...
        clazar_auth.errors.RateLimitedError: ...
        """
    def rotate_secret(self) -> str:
        """Replace the client secret; the old one is refused from now on.

        Returns:
            str: the new one.

        Raises:
            ClosedError: the sandbox is closed.

        >>> sandbox.rotate_secret() == sandbox.client_secret
        True
        """
    def revoke_tokens(self) -> None:
        """Refuse all tokens issued so far: the API answers 401 to them.

        Raises:
            ClosedError: the sandbox is closed.

        >>> _ = provider.token()
        >>> sandbox.revoke_tokens()
        """
    def requests(self, path: str = "/authenticate/") -> int:
        """How many requests came to a path.

        Args:
            path (str): the path of their URL.

        Returns:
            int: those since the sandbox was started.

        Raises:
            ClosedError: the sandbox is closed.

        >>> _ = provider.token()
        >>> sandbox.requests()
        1
        """
    def close(self) -> None:
        """Stop listening. Closing twice does nothing.

        >>> sandbox.close()
        >>> sandbox.close()
        """
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
