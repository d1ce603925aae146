"""Waits in a greenlet, of gevent and of eventlet: others go on."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from helpers import LONG, HeldServer, python

PATCH = {
    "gevent": "import gevent, gevent.monkey; gevent.monkey.patch_all(); from gevent import sleep, spawn, Timeout",
    "eventlet": "import eventlet; eventlet.monkey_patch(); from eventlet import sleep, spawn, Timeout",
}
JOIN = {"gevent": "get", "eventlet": "wait"}

GREENLETS = """
{patch}
import clazar_auth

provider = clazar_auth.TokenProvider.from_env(timeout=3600)
waiting = [spawn(provider.token) for _ in range(50)]
impatient = spawn(provider.token, timeout=0.01)
with Timeout(0.05, False):
    provider.token()
    raise SystemExit("there is no token yet")
while provider.stats().waited < 52:
    sleep(0.001)
print("the hub turns", flush=True)
print({{greenlet.{join}().value for greenlet in waiting}})
try:
    impatient.{join}()
except clazar_auth.AuthTimeoutError:
    print("timed out")
provider.invalidate(provider.token())
print(clazar_auth.TokenProvider.from_env().token().value)
"""


@pytest.fixture(autouse=True)
def without_dnspython(monkeypatch: pytest.MonkeyPatch) -> None:
    """With h2 beside it that imports trio, which eventlet's patched modules cannot be given."""
    monkeypatch.setenv("EVENTLET_NO_GREENDNS", "yes")


@pytest.mark.parametrize("library", PATCH)
def test_other_greenlets_go_on(library: str) -> None:
    code = GREENLETS.format(patch=PATCH[library], join=JOIN[library])
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with HeldServer() as server:
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, env=server.environment(), **pipes) as process:
            assert process.stdout is not None and process.stderr is not None
            try:
                assert process.stdout.readline() == "the hub turns\n"
                server.go_on.set()
                told = process.stdout.read()
                assert (told, process.wait(LONG)) == ("{'held-1'}\ntimed out\nheld-2\n", 0)
            finally:
                process.kill()
                print(process.stderr.read())
        assert server.requests() == 2


THREADS = """
import threading
import {library}
import clazar_auth
from clazar_auth.testing import Sandbox

with Sandbox(delay=0.05) as sandbox:
    def ask():
        values.append(sandbox.provider().token().value)
    values = []
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ask()
print(len(values))
"""


@pytest.mark.parametrize("library", PATCH)
def test_threads_without_a_hub_wait_as_always(library: str) -> None:
    result = python(THREADS.format(library=library))
    assert (result.returncode, result.stdout) == (0, "4\n"), result.stderr
