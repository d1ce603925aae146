"""Each kind of error as its exception."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from helpers import python

import clazar_auth
from clazar_auth import ClazarAuthError
from clazar_auth.testing import Sandbox

SECRET = "not-a-real-secret-0123456789abcdef"


def failure(url: str, **options: object) -> ClazarAuthError:
    with pytest.raises(ClazarAuthError) as caught:
        clazar_auth.authenticate("id", SECRET, auth_url=url, **options)  # type: ignore[arg-type]
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (401, b"", clazar_auth.InvalidCredentialsError, False),
        (403, b"{}", clazar_auth.InvalidCredentialsError, False),
        (403, b"<html>", clazar_auth.RejectedError, False),
        (400, b'{"error": "invalid_client"}', clazar_auth.InvalidCredentialsError, False),
        (400, b'{"error": "invalid_request"}', clazar_auth.RejectedError, False),
        (307, b"", clazar_auth.RejectedError, False),
        (429, b"", clazar_auth.RateLimitedError, True),
        (503, b"", clazar_auth.ServerError, True),
        (200, b"<html>", clazar_auth.InvalidResponseError, False),
    ],
)
def test_a_status_has_its_exception(
    sandbox: Sandbox, status: int, body: bytes, kind: type, retryable: bool
) -> None:
    for _attempt in range(3):
        sandbox.answer_next(status, body)
    error = failure(sandbox.auth_url)
    assert type(error) is kind
    assert error.http_status == status
    assert error.retryable is retryable
    assert error.retry_after is None


def test_a_named_wait_is_passed_on(sandbox: Sandbox) -> None:
    sandbox.answer_next(429, headers={"Retry-After": "70"})
    assert failure(sandbox.auth_url).retry_after == 70.0


def test_no_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/")
    assert type(error) is clazar_auth.TransportError
    assert isinstance(error, ConnectionError)
    assert error.retryable and error.http_status is None


def test_timeout(sandbox: Sandbox) -> None:
    sandbox.set_delay(3600)
    error = failure(sandbox.auth_url, timeout=0.2)
    assert type(error) is clazar_auth.AuthTimeoutError
    assert isinstance(error, TimeoutError)
    assert isinstance(error, clazar_auth.TransportError)
    assert error.retryable


@pytest.fixture
def certificates(
    tls_server: Callable[..., tuple[str, Path]],
) -> Iterator[dict[str, tuple[str, Path]]]:
    _, other = tls_server()
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    yield {
        "untrusted": (tls_server()[0], other),
        "other host": tls_server("example.com"),
        "expired": tls_server(expires=yesterday),
    }


def test_tls(certificates: dict[str, tuple[str, Path]]) -> None:
    for url, ca_file in certificates.values():
        error = failure(url, ca_file=ca_file, proxy="")
        assert type(error) is clazar_auth.TlsError
        assert isinstance(error, clazar_auth.TransportError)
        assert not error.retryable


def test_closed(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.close()
    with pytest.raises(clazar_auth.ClosedError) as caught:
        provider.refresh()
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "options",
    [
        {"auth_url": "http://api.clazar.io/authenticate/"},
        {"auth_url": "not a URL"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"ca_file": "/nonexistent/ca.pem"},
        {"client_secret": ""},
        {"client_secret": "two\nlines"},
        {"client_secret": None},
        {"client_secret_file": "/nonexistent/secret"},
        {"user_agent": "a\r\nX-Injected: 1"},
        {"allowed_hosts": ["https://api.clazar.io"]},
    ],
)
def test_configuration(options: dict[str, object]) -> None:
    arguments = {"client_id": "id", "client_secret": SECRET, **options}
    with pytest.raises(clazar_auth.ConfigurationError) as caught:
        clazar_auth.TokenProvider(**arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)
    assert not caught.value.retryable
    assert caught.value.http_status is None


def test_the_argument_is_named(sandbox: Sandbox) -> None:
    for name, change in (
        ("lifetime", lambda: Sandbox(lifetime=-1)),
        ("delay", lambda: sandbox.set_delay(-1)),
        ("timeout", lambda: sandbox.provider().token(timeout=-1)),
        ("timeout", lambda: sandbox.provider().refresh(timeout=float("nan"))),
        ("wait", lambda: sandbox.provider().token(wait=-1)),
    ):
        with pytest.raises(clazar_auth.ConfigurationError, match=f"the {name} is not a number"):
            change()


def test_missing_environment() -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="CLAZAR_CLIENT_ID"):
        clazar_auth.TokenProvider.from_env()


def test_a_wrong_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        clazar_auth.authenticate(1, 2)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        clazar_auth.TokenProvider("id", "secret", unknown=1)  # type: ignore[call-arg]


LATE = """
import os
import clazar_auth
from clazar_auth.testing import Sandbox

class Late:
    def __init__(self, provider):
        self.provider = provider

    def __del__(self, write=os.write):
        requests = self.provider.stats().empty.succeeded
        self.provider.close()
        try:
            self.provider.headers()
        except Exception as error:
            write(1, f"{requests} {type(error).__name__}".encode())

sandbox = Sandbox()
provider = sandbox.provider()
provider.token()
provider.stats()
late = Late(provider)
"""


def test_at_the_end_of_the_program() -> None:
    done = python(LATE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 ClosedError", "")
