"""What is left in memory by a program that never asked for a secret as text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from helpers import Loopback, until

SECRET = b"not-a-real-secret-0123456789abcdef-0123456789abcdef"
TOKEN = b"not-a-real-token-" * 50
CHUNK = 1 << 20

# Stands still after each step, to be looked at from outside.
PROGRAM = """
import gc, sys
import clazar_auth

def step(name):
    print(name, flush=True)
    sys.stdin.readline()

step("started")
provider = clazar_auth.TokenProvider(
    "id", client_secret_file=sys.argv[1], auth_url=sys.argv[2], store=sys.argv[3]
)
step("configured")
provider.token()
step("served")
provider.close()
del provider
gc.collect()
step("closed")
"""


class Server(Loopback):
    def answer(self) -> tuple[int, dict[str, object]]:
        return 200, {"access_token": TOKEN.decode(), "expires_in": 86_400}


def readable(process: int) -> Iterator[tuple[int, int]]:
    """The bounds of each mapping that can be read."""
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        bounds, access = line.split()[:2]
        if access.startswith("r") and "[v" not in line:
            start, end = bounds.split("-")
            yield int(start, 16), int(end, 16)


def holds(process: int, needle: bytes) -> bool:
    """Whether another process has these bytes anywhere in its memory."""
    memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
    try:
        for start, end in readable(process):
            for at in range(start, end, CHUNK - len(needle)):
                try:
                    if needle in os.pread(memory, min(CHUNK, end - at), at):
                        return True
                except OSError:
                    continue
        return False
    finally:
        os.close(memory)


def test_neither_secret_nor_token_is_left(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    for store in ("memory", str(tmp_path / "store")):
        with Server() as server:
            command = [sys.executable, "-c", PROGRAM, str(file), server.url, store]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
                look_at(process)
            assert process.returncode == 0


def look_at(process: subprocess.Popen[str]) -> None:
    def step(name: str) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{name}\n"

    def go_on() -> None:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    def held() -> tuple[bool, bool]:
        return holds(process.pid, SECRET), holds(process.pid, TOKEN)

    step("started")
    assert held() == (False, False)
    go_on()
    step("configured")
    assert held() == (True, False)
    go_on()
    step("served")
    assert held() == (True, True)
    go_on()
    step("closed")
    until(lambda: held() == (False, False))  # the thread of the exchange may still be ending
    go_on()
