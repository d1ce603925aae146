"""What the doctor finds, and that it shows no secret."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sysconfig
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from helpers import LONG, Loopback

from clazar_auth import _native
from clazar_auth.testing import Sandbox

COMMAND = os.path.join(sysconfig.get_path("scripts"), "clazar-auth")
SECRET = "not-a-real-secret-but-a-long-one-0123456789"
# Of secrets, and of the tokens of the sandbox and of conftest's server.
HIDDEN = (SECRET, "sandbox-secret", "eyJ", "not-a-real-token")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "doctor", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert result.stderr == ""
    assert not [hidden for hidden in HIDDEN if hidden in result.stdout]
    return result


class Report:
    """What the doctor says as data."""

    def __init__(self, *options: str) -> None:
        result = run("--json", *options)
        self.exit_status = result.returncode
        data = json.loads(result.stdout)
        assert data["ok"] is (self.exit_status == 0)
        self.texts = {step["name"]: step["text"] for step in data["steps"]}
        self.errors = {step["name"]: step["error"] for step in data["steps"] if step["error"]}
        self._status = {step["name"]: step["status"] for step in data["steps"]}
        assert list(self.errors) == self.steps("failed")

    def steps(self, status: str) -> list[str]:
        return [name for name, found in self._status.items() if found == status]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets credentials, and a URL to authenticate at."""

    def set_up(auth_url: str) -> None:
        monkeypatch.setenv("CLAZAR_CLIENT_ID", "id")
        monkeypatch.setenv("CLAZAR_CLIENT_SECRET", SECRET)
        monkeypatch.setenv("CLAZAR_AUTH_URL", auth_url)

    return set_up


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_all_is_well(sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path: Path) -> None:
    report = Report()
    assert report.exit_status == 0
    assert report.steps("ok") == [
        *("credentials", "options", "name lookup", "connection", "request"),
        *("token", "clock", "store"),
    ]
    assert "CLAZAR_CLIENT_SECRET" in report.texts["credentials"]
    assert report.texts["options"] == sandbox.auth_url
    assert report.texts["store"].startswith(str(tmp_path))
    assert sandbox.requests() == 1
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert kept == []


def test_words(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    sandbox.rotate_secret()
    result = run("--no-store")
    assert result.returncode == 1
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert ["ok", "options", sandbox.auth_url] in lines
    assert ["skipped", "token", "a step before it failed"] in lines
    assert ["ok", "store", "memory"] in lines
    assert "\nfailed   request      http://127.0.0.1" in result.stdout
    assert "check both, and whether the secret was rotated" in result.stdout


def test_no_variables() -> None:
    report = Report()
    assert report.exit_status == 2
    assert report.errors == {"credentials": "ConfigurationError"}
    assert "CLAZAR_CLIENT_ID" in report.texts["credentials"]
    assert report.steps("ok") == ["options", "trust"]


def test_a_secret_in_a_file(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "secret"
    file.write_text(sandbox.client_secret)
    monkeypatch.delenv("CLAZAR_CLIENT_SECRET")
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET_FILE", str(file))
    report = Report()
    assert report.exit_status == 0
    assert str(file) in report.texts["credentials"]
    file.unlink()
    report = Report()
    assert report.exit_status == 2
    assert "that CLAZAR_CLIENT_SECRET_FILE names" in report.texts["credentials"]


@pytest.mark.parametrize("wrapped", ['"{}"', "'{}'", "{} ", " {}"])
@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET"])
def test_what_was_left_around_a_credential(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wrapped: str,
) -> None:
    monkeypatch.setenv(f"CLAZAR_{name}", wrapped.format(os.environ[f"CLAZAR_{name}"]))
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"request": "InvalidCredentialsError"}
    assert report.steps("warning") == ["credentials"]
    what = "client id" if name == "CLIENT_ID" else "secret"
    assert f"the {what} begins or ends with a quote or a space" in report.texts["credentials"]


def test_a_wrong_secret(sandbox: Sandbox, settings: Callable[[str], None]) -> None:
    settings(sandbox.auth_url)
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"request": "InvalidCredentialsError"}
    assert report.steps("skipped") == ["token"]


def test_an_unknown_host(settings: Callable[[str], None]) -> None:
    settings("https://host.invalid/authenticate/")
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"name lookup": "TransportError"}
    assert report.steps("skipped") == ["connection", "TLS", "request", "token", "clock"]


def test_a_refused_port(settings: Callable[[str], None]) -> None:
    settings(f"https://127.0.0.1:{closed_port()}/authenticate/")
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"connection": "TransportError"}
    assert "127.0.0.1" in report.texts["name lookup"]
    assert report.steps("skipped") == ["TLS", "request", "token", "clock"]


def test_the_last_attempt_counts(settings: Callable[[str], None]) -> None:
    """A server that asks for another attempt, and is gone by then."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(LONG)

    def answer_once() -> None:
        connection, _ = listener.accept()
        listener.close()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n")

    server = threading.Thread(target=answer_once)
    server.start()
    settings(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    report = Report()
    server.join()
    assert report.errors == {"connection": "TransportError"}


TlsServer = Callable[..., tuple[str, Path]]


def test_a_trusted_certificate(
    tls_server: TlsServer, settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    auth_url, ca_file = tls_server()
    settings(auth_url)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    report = Report()
    assert report.exit_status == 0
    assert "authorities: 1, from SSL_CERT_FILE" in report.texts["trust"]
    assert str(ca_file) in report.texts["trust"]
    assert "TLS 1.3" in report.texts["TLS"]


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ({}, "no trusted authority"),
        ({"name": "example.com"}, "another host name"),
        ({"expires": datetime(2020, 1, 1, tzinfo=timezone.utc)}, "expired"),
    ],
)
def test_a_refused_certificate(
    tls_server: TlsServer,
    settings: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    certificate: dict[str, object],
    why: str,
) -> None:
    auth_url, ca_file = tls_server(**certificate)
    settings(auth_url)
    if not certificate:
        _, ca_file = tls_server()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"TLS": "TlsError"}
    assert why in report.texts["TLS"]
    is_out_of_time = "expires" in certificate
    assert report.steps("skipped") == ["request", "token", *([] if is_out_of_time else ["clock"])]
    assert report.steps("warning") == (["clock"] if is_out_of_time else [])
    assert ("if that is wrong, set it" in report.texts["clock"]) is is_out_of_time


def test_a_trust_store_without_certificates(
    settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings("https://host.invalid/")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    report = Report()
    assert report.exit_status == 2
    assert report.errors == {"trust": "ConfigurationError"}
    assert report.steps("ok") == ["credentials", "options", "store"]


def test_a_folder_of_certificates_that_is_not_there(
    tls_server: TlsServer,
    settings: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
) -> None:
    auth_url, ca_file = tls_server()
    settings(auth_url)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    report = Report()
    assert report.exit_status == 0
    missing = "/nonexistent that SSL_CERT_DIR names cannot be opened (No such file or directory)"
    assert missing in report.texts["trust"]

    settings(sandbox.auth_url)
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("CLAZAR_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", sandbox.client_secret)
    assert Report().exit_status == 0, "plain http needs no trust"


def test_the_system_is_trusted_by_default(settings: Callable[[str], None]) -> None:
    settings(f"https://127.0.0.1:{closed_port()}/")
    text = Report().texts["trust"]
    assert "the system's /" in text or "from Mozilla" in text


class Proxy(Loopback):
    """One that opens the way to a server, or answers with another status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.RequestHandlerClass = ProxyHandler
        self.status = status


class ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy

    def do_CONNECT(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        if self.server.status == 200:
            host, port = self.path.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as there:
                back = threading.Thread(target=pump, args=(there, self.connection))
                back.start()
                pump(self.connection, there)
                back.join()

    def log_message(self, *_: object) -> None:
        pass


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_proxy(
    tls_server: TlsServer, settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    auth_url, ca_file = tls_server()
    settings(auth_url)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with Proxy(200) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        report = Report()
    assert report.exit_status == 0
    assert report.texts["connection"] == f"127.0.0.1 takes port {proxy.server_port}"
    assert {"proxy", "TLS"} <= set(report.steps("ok"))


def test_a_proxy_that_refuses(
    settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings("https://host.invalid/")
    with Proxy(407) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{proxy.server_port}")
        report = Report()
    assert report.exit_status == 2
    assert report.errors == {"proxy": "ConfigurationError"}
    assert f"the proxy 127.0.0.1:{proxy.server_port}" in report.texts["options"]
    assert "refused the user name or the password (HTTP 407)" in report.texts["proxy"]
    assert report.steps("skipped") == ["TLS", "request", "token", "clock"]


def test_an_unknown_proxy(settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    settings("https://127.0.0.1/")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    report = Report()
    assert report.errors == {"name lookup": "TransportError"}
    assert "proxy.invalid:3128" in report.texts["name lookup"]


@pytest.mark.parametrize(
    ("variable", "value", "step"),
    [
        ("CLAZAR_AUTH_URL", "http://example.com/", "options"),
        ("HTTPS_PROXY", f"ftp://user:{SECRET}@proxy", "options"),
        ("SSL_CERT_FILE", "/nonexistent/file", "options"),
        ("CLAZAR_STORE", "nowhere", "store"),
        ("CLAZAR_CLIENT_SECRET_FILE", "/nonexistent/file", "credentials"),
    ],
)
def test_unusable_settings(
    settings: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    step: str,
) -> None:
    settings(f"https://127.0.0.1:{closed_port()}/")
    monkeypatch.setenv(variable, value)
    report = Report()
    assert report.exit_status == 2
    assert report.errors[step] == "ConfigurationError"


def test_a_short_secret_is_not_for_a_store(
    sandbox: Sandbox, settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(sandbox.auth_url)
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", "short")
    report = Report()
    assert report.steps("warning") == ["store"], "the other commands go on without it"
    assert "keep tokens in memory alone" in report.texts["store"]
    assert "store" in Report("--no-store").steps("ok")
    monkeypatch.setenv("CLAZAR_STORE", "file")
    assert Report().errors["store"] == "ConfigurationError", "it was asked for"


def test_a_folder_that_others_can_enter(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("CLAZAR_STORE", str(tmp_path))
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"store": "StoreError"}
    assert "set its mode to 0700" in report.texts["store"]


def test_a_token_file_that_others_can_read(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAZAR_STORE", str(tmp_path / "store"))
    file = Path(Report().texts["store"])
    file.write_text("")
    file.chmod(0o644)
    assert "can be used by other users" in Report().texts["store"]


def test_a_file_that_cannot_be_written(sandbox_environment: dict[str, str]) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        report = Report()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert report.errors == {"store": "StoreError"}
    assert "cannot be written (File too large)" in report.texts["store"]


def test_a_folder_that_cannot_be_made(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_STORE", "/dev/null/store")
    report = Report()
    assert report.errors == {"store": "StoreError"}
    assert "cannot be opened (Not a directory)" in report.texts["store"]


def test_a_redis_that_is_away(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_STORE", f"redis://:{SECRET}@127.0.0.1:{closed_port()}")
    report = Report()
    assert report.exit_status == 1
    assert report.errors == {"store": "StoreError"}
    assert "cannot be reached (Connection refused)" in report.texts["store"]
    assert "CLAZAR_STORE" in report.texts["store"]


def test_a_redis(redis_store: str, sandbox_environment: dict[str, str]) -> None:
    report = Report()
    assert report.exit_status == 0
    assert report.texts["store"] == redis_store


def test_a_short_life(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    sandbox.set_lifetime(30)
    report = Report()
    assert report.exit_status == 0
    assert report.steps("warning") == ["token"]


@pytest.mark.parametrize("ahead", [-3600, 3600])
@pytest.mark.parametrize("status", [200, 401])
def test_a_wrong_clock(
    sandbox: Sandbox, sandbox_environment: dict[str, str], ahead: int, status: int
) -> None:
    date = datetime.now(timezone.utc) + timedelta(seconds=ahead)
    body = b'{"access_token": "not-a-real-token", "expires_in": 3600}'
    headers = {"Date": format_datetime(date, usegmt=True)}
    sandbox.answer_next(status, body, headers=headers)
    report = Report()
    assert report.steps("warning") == ["clock"]
    assert report.exit_status == (status != 200)


def test_a_step_that_cannot_be_told_ends_no_other(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", lambda it: raised.append(it.exc_value))

    def tell(step: tuple[str, str, str, str | None]) -> None:
        raise LookupError(step[0])

    _native._examine(tell)
    assert {"credentials", "token", "store"} <= {error.args[0] for error in raised}
