"""What several test files need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from clazar_auth import TokenProvider

T = TypeVar("T")
LONG = 60.0
"""Seconds after which a wait has failed; nothing here takes a tenth of it."""


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def at_once(count: int, work: Callable[[], T]) -> list[T]:
    """The results of so many threads that start on the same work together."""
    barrier = threading.Barrier(count)

    def one() -> T:
        barrier.wait(LONG)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(count)]]


def python(
    code: str, *options: str, arguments: Sequence[str] = (), **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program that is to end by itself."""
    command = [sys.executable, *options, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG, **settings)


class Loopback(ThreadingHTTPServer):
    """A context manager; all headers that came are in `seen`."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def answer(self) -> tuple[int, dict[str, object]]:
        return 200, {}

    def handle_error(self, *_: object) -> None:
        """A client may hang up."""

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Loopback

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, fields = self.server.answer()
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


class HeldServer(Loopback):
    """Gives each request another token, but none before it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def requests(self) -> int:
        return len(self.seen)

    def answer(self) -> tuple[int, dict[str, object]]:
        number = len(self.seen)
        self.go_on.wait(LONG)
        return 200, {"access_token": f"held-{number}", "expires_in": 86_400}

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CLAZAR_CLIENT_ID": "id",
            "CLAZAR_CLIENT_SECRET": "not-a-real-secret",
            "CLAZAR_AUTH_URL": self.url,
        }

    def provider(self) -> TokenProvider:
        return TokenProvider("id", "not-a-real-secret", auth_url=self.url, timeout=LONG)

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        super().__exit__()
