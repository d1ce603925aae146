"""What is left in memory by a program that never asked for a secret as text."""

from __future__ import annotations

from pathlib import Path

from helpers import Loopback, python

MASK = 0x5A
SECRET = "not-a-real-secret-0123456789abcdef-0123456789abcdef"
TOKEN = "not-a-real-token-" * 50

# Reads its own memory into one buffer, which it leaves out, and compares masked bytes, so that the
# search does not find itself.
PROGRAM = """
import ctypes, gc, os, sys
import clazar_auth

MASKED = bytes(byte ^ 0x5A for byte in range(256))
buffer = bytearray(1 << 16)
own = ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))

def search(needle):
    found = 0
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    for line in open("/proc/self/maps"):
        bounds, access = line.split()[:2]
        start, end = (int(bound, 16) for bound in bounds.split("-"))
        if not access.startswith("r") or "[v" in line:
            continue
        for at in range(start, end, len(buffer) - len(needle)):
            if own - len(buffer) < at < own + len(buffer):
                continue
            view = memoryview(buffer)[:min(len(buffer), end - at)]
            try:
                count = os.preadv(memory, [view], at)
            except OSError:
                continue
            found += mask(count).count(needle)
    os.close(memory)
    return found

def mask(count):
    masked = buffer.translate(MASKED)
    return masked[:count]

secret, token = (bytes.fromhex(text) for text in sys.argv[1:3])
assert search(secret) == 0
provider = clazar_auth.TokenProvider(
    "id", client_secret_file=sys.argv[3], auth_url=sys.argv[4], store=sys.argv[5]
)
assert search(secret) > 0
provider.token()
assert search(token) > 0
provider.close()
del provider
gc.collect()
for _ in range(1000):
    if not search(secret):
        break
assert search(secret) == 0, "the secret is left"
assert search(token) == 0, "the token is left"
"""


class Server(Loopback):
    def answer(self) -> tuple[int, dict[str, object]]:
        return 200, {"access_token": TOKEN, "expires_in": 86_400}


def masked(text: str) -> str:
    return bytes(byte ^ MASK for byte in text.encode()).hex()


def test_neither_secret_nor_token_is_left(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    for store in ("memory", str(tmp_path / "store")):
        with Server() as server:
            arguments = [masked(SECRET), masked(TOKEN), str(file), server.url, store]
            result = python(PROGRAM, arguments=arguments)
            assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
