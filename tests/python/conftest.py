"""Real servers on loopback: the sandbox, and a TLS server with a certificate of choice."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from helpers import until

import clazar_auth
from clazar_auth._variables import VARIABLES
from clazar_auth.testing import Sandbox

OTHERS = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

# A shell ignores Ctrl-C for what it runs in the background, and the tests' programs would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


IN_THE_CHECKOUT = Path(__file__).parents[2] / "python" in Path(clazar_auth.__file__).parents


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make dev` builds no wheel; `make test-python` installs one before it runs these."""
    if IN_THE_CHECKOUT:
        skip = pytest.mark.skip(reason="`make dev` built the module, and no wheel")
        for item in items:
            if item.get_closest_marker("wheel"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, *OTHERS, *map(str.lower, OTHERS)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables with which a program meets the sandbox; set here and returned."""
    variables = {
        "CLAZAR_CLIENT_ID": sandbox.client_id,
        "CLAZAR_CLIENT_SECRET": sandbox.client_secret,
        "CLAZAR_AUTH_URL": sandbox.auth_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


@pytest.fixture
def redis_store(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        until(answers)
        url = f"redis://127.0.0.1:{port}"
        monkeypatch.setenv("CLAZAR_STORE", url)
        yield url
    finally:
        server.kill()
        server.wait()


class TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": "not-a-real-token", "expires_in": 60}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is what some tests want."""


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[Callable[..., tuple[str, Path]]]:
    """Starts TLS servers; gives the URL and the file of the authority of each."""
    servers: list[tuple[QuietServer, threading.Thread]] = []

    def start(name: str = "127.0.0.1", expires: datetime | None = None) -> tuple[str, Path]:
        authority = trustme.CA()
        ca_file = tmp_path / f"ca-{len(servers)}.pem"
        authority.cert_pem.write_to_path(ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=expires).configure_cert(context)
        server = QuietServer(("127.0.0.1", 0), TokenHandler)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"https://127.0.0.1:{server.server_port}/authenticate/", ca_file

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()
