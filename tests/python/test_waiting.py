"""No call waits longer than the documentation says, whatever the system does to a library thread."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from helpers import python

from clazar_auth.testing import Sandbox

HANGS = r"""
#include <sys/socket.h>
#include <sys/syscall.h>
#include <stdlib.h>
#include <unistd.h>

/* A network that hangs as long as there is a file. */
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    while (access(getenv("TEST_HANGS"), F_OK) == 0)
        usleep(1000);
    return (int)syscall(SYS_connect, fd, address, length);
}
"""

PROGRAM = """
import asyncio, os, threading, time
import clazar_auth

TIMEOUT = 0.3
LIMIT = 10 * (TIMEOUT + 1)

def outcome(call):
    start = time.monotonic()
    try:
        call()
    except clazar_auth.AuthTimeoutError as error:
        assert error.retry_after is not None
        return time.monotonic() - start < LIMIT
    return False

async def tasks():
    start = time.monotonic()
    results = await asyncio.gather(*[provider.token_async() for _ in range(8)],
                                   return_exceptions=True)
    assert {type(result) for result in results} == {clazar_auth.AuthTimeoutError}, results
    assert time.monotonic() - start < LIMIT

provider = clazar_auth.TokenProvider.from_env(timeout=TIMEOUT)
asyncio.run(tasks())
provider = clazar_auth.TokenProvider.from_env(timeout=TIMEOUT)
outcomes = []
threads = [threading.Thread(target=lambda: outcomes.append(outcome(provider.token)))
           for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert outcomes == [True] * 8, outcomes
assert provider.stats().empty.failed == 1

os.remove(os.environ["TEST_HANGS"])
while True:
    try:
        provider.token()
        break
    except clazar_auth.ClazarAuthError:
        time.sleep(0.01)
print("ended")
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(HANGS)
    command = ["cc", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, "shim.c", "-o", "shim.so"], cwd=folder, check=True, timeout=60)
    return folder / "shim.so"


def test_a_network_that_hangs_holds_nobody(shim: Path, tmp_path: Path) -> None:
    flag = tmp_path / "hangs"
    flag.touch()
    with Sandbox() as sandbox:
        environment = {
            **os.environ,
            "CLAZAR_AUTH_URL": sandbox.auth_url,
            "CLAZAR_CLIENT_ID": sandbox.client_id,
            "CLAZAR_CLIENT_SECRET": sandbox.client_secret,
            "LD_PRELOAD": str(shim),
            "TEST_HANGS": str(flag),
        }
        done = python(PROGRAM, env=environment)
    assert done.stdout == "ended\n", done.stderr
