"""How long a process takes from its start until it has the Authorization header: from each kind of store, which
has a token, and from the API, for which the sandbox stands in, and over TLS a server of this process.

The subjects take turns, so that what slows the machine slows all; the medians are printed.

usage: measure.py C-PROGRAM
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from clazar_auth.testing import Sandbox

ROUNDS = 101
NOTHING, LONGEST = "nothing", "a token request over TLS"
HERE = Path(__file__).parent
# Where Debian, Fedora and Alpine have their certificate authorities.
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


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


class TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": "not-a-real-token" * 60, "expires_in": 86_400}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def api_over_tls(chain: Path, key: Path) -> Iterator[str]:
    """A server on loopback; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenHandler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/authenticate/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificates(folder: Path) -> tuple[Path, Path, Path, Path]:
    """The files of a certificate, of its key, of its authority, and of that and the system's, as in real life."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, own, all_roots = (folder / f"{name}.pem" for name in ("chain", "key", "own", "all"))
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    roots = next((path.read_bytes() for path in map(Path, BUNDLES) if path.is_file()), b"")
    own.write_bytes(authority.cert_pem.bytes())
    all_roots.write_bytes(roots + own.read_bytes())
    return chain, key, own, all_roots


def milliseconds(command: list[str], environment: dict[str, str]) -> float:
    """From the start of a process until it says that it is ready."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - start
    if line != "ready\n" or process.returncode != 0:
        sys.exit(f"{command} failed; see above")
    return took * 1e3


def measure(
    programs: dict[str, list[str]], ways: dict[str, dict[str, str]], environment: dict[str, str]
) -> None:
    subjects: dict[tuple[str, str], tuple[list[str], dict[str, str]]] = {}
    for language, program in programs.items():
        subjects[language, NOTHING] = [*program, "nothing"], environment
        for name, variables in ways.items():
            subjects[language, name] = program, environment | variables
    # Puts a token into each store, and all files into memory.
    for subject in subjects.values():
        milliseconds(*subject)
    rounds = [
        {key: milliseconds(*subject) for key, subject in subjects.items()} for _ in range(ROUNDS)
    ]
    for language in programs:
        names = (NOTHING, *ways)
        median = {
            name: statistics.median(took[language, name] for took in rounds) for name in names
        }
        more = {name: median[name] - median[NOTHING] for name in names}
        print(f"\n{language:26}    ms   more than nothing   of {LONGEST}")
        for name in names:
            ratio = more[name] / more[LONGEST]
            print(f"{name:26} {median[name]:5.1f} {more[name]:19.1f} {ratio:12.2f}")


def main(c_program: str) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chain, key, own, all_roots = certificates(folder)
        sandbox = stack.enter_context(Sandbox())
        over_tls = stack.enter_context(api_over_tls(chain, key))
        files = {"cert": chain, "key": key, "ca-cert": own}
        options = [part for name, file in files.items() for part in (f"--tls-{name}-file", file)]
        plain = stack.enter_context(redis())
        tls = stack.enter_context(redis(*map(str, options), "--tls-auth-clients", "no"))
        elsewhere = re.compile("CLAZAR_.*|SSL_CERT_.*|.*_PROXY", re.IGNORECASE)
        environment = {k: v for k, v in os.environ.items() if not elsewhere.fullmatch(k)}
        environment |= {
            "CLAZAR_CLIENT_ID": sandbox.client_id,
            "CLAZAR_CLIENT_SECRET": sandbox.client_secret,
            "CLAZAR_AUTH_URL": sandbox.auth_url,
            "SSL_CERT_FILE": str(all_roots),
        }
        ways = {
            "a file": {"CLAZAR_STORE": str(folder / "store")},
            "Redis": {"CLAZAR_STORE": f"redis://127.0.0.1:{plain}"},
            "Redis over TLS": {"CLAZAR_STORE": f"rediss://127.0.0.1:{tls}"},
            "the same, one authority": {
                "CLAZAR_STORE": f"rediss://127.0.0.1:{tls}",
                "SSL_CERT_FILE": str(own),
            },
            "a token request": {},
            LONGEST: {"CLAZAR_AUTH_URL": over_tls},
        }
        authorities = len(ssl.create_default_context(cafile=all_roots).get_ca_certs())
        print(
            f"from the start of a process to its header, median of {ROUNDS} rounds; all on loopback, the\n"
            f"API without a delay; {authorities} certificate authorities"
        )
        programs = {"C": [c_program], "Python": [sys.executable, str(HERE / "start.py")]}
        measure(programs, ways, environment)
        wanted = len(programs) * (ROUNDS + 1) + 3
        assert sandbox.requests() == wanted, "the stores had a token each time"


if __name__ == "__main__":
    main(sys.argv[1])
