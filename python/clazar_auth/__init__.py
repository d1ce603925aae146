"""Access tokens for the Clazar API: fetched once, kept fresh, kept secret.

>>> import clazar_auth
>>> provider = clazar_auth.TokenProvider.from_env()
>>> provider.headers()
{'Authorization': 'Bearer ...'}
"""

from clazar_auth._native import (
    AccessToken,
    Exchanges,
    Stats,
    TokenProvider,
    __version__,
    authenticate,
)
from clazar_auth.errors import (
    AuthTimeoutError,
    ClazarAuthError,
    ClosedError,
    ConfigurationError,
    InternalError,
    InvalidCredentialsError,
    InvalidResponseError,
    RateLimitedError,
    RejectedError,
    ServerError,
    StoreError,
    TlsError,
    TransportError,
)

TYPE_CHECKING = False  # As checkers know it, without the cost of importing typing.
if TYPE_CHECKING:
    from clazar_auth import integrations as integrations
    from clazar_auth import testing as testing

__all__ = [
    "AccessToken",
    "AuthTimeoutError",
    "ClazarAuthError",
    "ClosedError",
    "ConfigurationError",
    "Exchanges",
    "InternalError",
    "InvalidCredentialsError",
    "InvalidResponseError",
    "RateLimitedError",
    "RejectedError",
    "ServerError",
    "Stats",
    "StoreError",
    "TlsError",
    "TokenProvider",
    "TransportError",
    "__version__",
    "authenticate",
]


def __getattr__(name: str) -> object:
    # Imported when first used, so that `import clazar_auth` stays cheap.
    if name in ("integrations", "testing"):
        import importlib

        return importlib.import_module(f"clazar_auth.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
