"""Starts the programs: the server that stands in for the API, Redis, and the subjects, which all answer lines."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# Where Debian, Fedora and Alpine have their certificate authorities.
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
# Far longer than any command takes.
PATIENCE = 120


class Peer:
    """A process that answers a line with a line of numbers."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended early; see above")
        return line

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def ask(self, line: str) -> list[int]:
        self.tell(line)
        return [int(number) for number in self.line().split()]

    def close(self) -> None:
        # The end of its input ends it; an asynchronous runtime may need longer than we wait.
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Files:
    """The certificate of the server, its key, its authority, and that with those of the system, as in real life."""

    chain: Path
    key: Path
    own: Path
    bundle: Path
    service_account: Path

    def authorities(self) -> int:
        return self.bundle.read_bytes().count(b"BEGIN CERT")


def make_files(folder: Path) -> Files:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    system = next((path.read_bytes() for path in map(Path, BUNDLES) if path.is_file()), b"")
    files = Files(
        chain=folder / "chain.pem",
        key=folder / "key.pem",
        own=folder / "own.pem",
        bundle=folder / "bundle.pem",
        service_account=folder / "account.json",
    )
    certificate.cert_chain_pems[0].write_to_path(files.chain)
    certificate.private_key_pem.write_to_path(files.key)
    authority.cert_pem.write_to_path(files.own)
    files.bundle.write_bytes(system + authority.cert_pem.bytes())
    return files


def write_service_account(path: Path, url: str) -> None:
    """What yup-oauth2 wants instead of a client secret."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"client_email": "not-a-real-client", "private_key": pem, "token_uri": url}
    path.write_text(json.dumps(account))


class Server(Peer):
    """Stands in for the API."""

    def __init__(self, files: Files) -> None:
        super().__init__(
            ["target/bench/rust/release/server"],
            {"CERTIFICATE": str(files.chain), "KEY": str(files.key)},
        )
        self.url = f"https://127.0.0.1:{int(self.line())}/authenticate/"

    @contextmanager
    def behaving(self, *, delay: int = 0, lifetime: int = 86_400) -> Iterator[None]:
        """Answers after so many milliseconds with a token that lives so many seconds."""
        self.tell(f"delay {delay}")
        self.tell(f"lifetime {lifetime}")
        self.requests()
        yield
        self.tell("delay 0")
        self.tell("lifetime 86400")

    def requests(self) -> int:
        """Since it was last asked."""
        return self.ask("count")[0]


@contextmanager
def redis(*options: str) -> Iterator[int]:
    """A server on loopback, which speaks TLS with options for that; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ports = ["--port", "0", "--tls-port", str(port)] if options else ["--port", str(port)]
    command = ["redis-server", "--bind", "127.0.0.1", "--save", "", *ports, *options]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        yield port
    finally:
        server.kill()
        server.wait()
