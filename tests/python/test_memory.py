"""What is left in memory by a program that never asked for a secret as text."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Loopback, until


def text(name: str, length: int) -> bytes:
    """A fake secret in which no two parts are alike."""
    digits = (hashlib.sha256(f"{name}{number}".encode()).hexdigest() for number in range(20))
    return (name + "".join(digits)).encode()[:length]


def pieces(needle: bytes) -> set[bytes]:
    """All parts of so many bytes."""
    return {needle[at : at + PIECE] for at in range(len(needle) - PIECE + 1)}


PIECE = 16
SECRET = text("not-a-real-secret-", 60)
TOKEN = text("not-a-real-token-", 887)
SECRET_PIECES, TOKEN_PIECES = pieces(SECRET), pieces(TOKEN)
CHUNK = 1 << 20

# Stands still after each step, to be looked at from outside.
PROGRAM = """
import gc, sys
import clazar_auth

def step(name):
    print(name, flush=True)
    sys.stdin.readline()

step("started")
secret, url, store, call = sys.argv[1:]
provider = clazar_auth.TokenProvider(
    "id", client_secret_file=secret, auth_url=url, store=store
)
step("configured")
token = provider.token()
match call:
    case "refresh":
        provider.refresh()
    case "invalidate":
        provider.invalidate(token)
    case "seal":
        provider.seal()
    case "unseal":
        provider.unseal(provider.seal())
    case "authenticate":
        clazar_auth.authenticate("id", client_secret_file=secret, auth_url=url)
step("served")
provider.close()
del token
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


def held(process: int) -> tuple[bool, bool]:
    """Whether another process has a piece of the secret, or of the token, anywhere in its memory."""
    memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
    found: set[bytes] = set()
    try:
        for start, end in readable(process):
            for at in range(start, end, CHUNK - PIECE):
                try:
                    found |= pieces_in(os.pread(memory, min(CHUNK, end - at), at))
                except OSError:
                    continue
    finally:
        os.close(memory)
    return not found.isdisjoint(SECRET_PIECES), not found.isdisjoint(TOKEN_PIECES)


def pieces_in(memory: bytes) -> set[bytes]:
    wanted = SECRET_PIECES | TOKEN_PIECES
    found: set[bytes] = set()
    for run in re.findall(rb"[a-z0-9-]{16,}", memory):
        found |= wanted & pieces(run)
    return found


@pytest.mark.parametrize(
    "call", ["token", "refresh", "invalidate", "seal", "unseal", "authenticate"]
)
@pytest.mark.parametrize("store", ["memory", "file"])
def test_neither_secret_nor_token_is_left(tmp_path: Path, store: str, call: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    if store == "file":
        store = str(tmp_path / "store")
    with Server() as server:
        command = [sys.executable, "-c", PROGRAM, str(file), server.url, store, call]
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

    step("started")
    assert held(process.pid) == (False, False)
    go_on()
    step("configured")
    assert held(process.pid) == (True, False)
    go_on()
    step("served")
    assert held(process.pid) == (True, True)
    go_on()
    step("closed")
    # The thread of the token request may still be ending.
    until(lambda: held(process.pid) == (False, False))
    go_on()
