"""Ctrl-C in a wait, and the end of a program while a token request is under way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from helpers import LONG, HeldServer, until

from clazar_auth.testing import Sandbox

WAIT = """
import os, threading, time
import clazar_auth

SETTINGS = [os.environ["CLAZAR_CLIENT_ID"], os.environ["CLAZAR_CLIENT_SECRET"]]
provider = clazar_auth.TokenProvider.from_env(timeout=3600)

def authenticate():
    return clazar_auth.authenticate(*SETTINGS, auth_url=os.environ["CLAZAR_AUTH_URL"], timeout=3600)

def say(*words):
    print(*words, flush=True)
"""

INTERRUPTED = """
try:
    {call}
except KeyboardInterrupt:
    say(time.monotonic())
"""

OTHERS = """
other = threading.Thread(target=lambda: say(provider.token().value))
other.start()
while provider.stats().waited == 0:
    time.sleep(0.001)
"""

AGAIN = """
say({call}.value)
"""


@contextmanager
def program(code: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A running program; it has to end by itself, in silence."""
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            yield process
            start = time.monotonic()
            stdout, stderr = process.communicate(timeout=LONG)
            print(f"ended after {(time.monotonic() - start) * 1000:.0f} ms")
            assert time.monotonic() - start < 10
            assert (process.returncode, stdout, stderr) == (0, "", "")
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def interrupt(process: subprocess.Popen[str]) -> None:
    """Sends the signal; the time from here to KeyboardInterrupt has a bound."""
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    took = float(line(process)) - sent
    print(f"KeyboardInterrupt {took * 1000:.0f} ms after the signal")
    assert took < 2


CALLS = ["provider.token()", "provider.authorization()", "provider.refresh()", "authenticate()"]


@pytest.mark.parametrize("call", CALLS)
def test_an_interrupt_ends_the_wait(
    sandbox: Sandbox, sandbox_environment: dict[str, str], call: str
) -> None:
    sandbox.set_delay(3600)
    with program(WAIT + INTERRUPTED.format(call=call), sandbox_environment) as process:
        until(lambda: sandbox.requests() == 1)
        interrupt(process)


@pytest.mark.parametrize("call", ["provider.token()", "provider.refresh()"])
def test_the_token_request_goes_on(call: str) -> None:
    code = WAIT + INTERRUPTED.format(call=call) + AGAIN.format(call="provider.token()")
    with HeldServer() as server, program(code, server.environment()) as process:
        until(lambda: server.requests() == 1)
        interrupt(process)
        server.go_on.set()
        assert line(process) == "held-1"
    assert server.requests() == 1


def test_another_thread_goes_on_waiting() -> None:
    code = WAIT + OTHERS + INTERRUPTED.format(call="say('ready') or provider.token()")
    code += "other.join()" + AGAIN.format(call="provider.token()")
    with HeldServer() as server, program(code, server.environment()) as process:
        until(lambda: server.requests() == 1)
        assert line(process) == "ready"
        interrupt(process)
        server.go_on.set()
        assert [line(process), line(process)] == ["held-1", "held-1"]
    assert server.requests() == 1


def test_authenticate_works_again() -> None:
    code = WAIT + INTERRUPTED.format(call="authenticate()") + AGAIN.format(call="authenticate()")
    with HeldServer() as server, program(code, server.environment()) as process:
        until(lambda: server.requests() == 1)
        interrupt(process)
        until(lambda: server.requests() == 2)
        server.go_on.set()
        assert line(process) == "held-2"


HANDLED = """
import signal
signal.signal(signal.SIGUSR1, lambda *_: say("handled"))
say(provider.token().value)
"""


def test_a_handled_signal_does_not_end_the_wait() -> None:
    with HeldServer() as server, program(WAIT + HANDLED, server.environment()) as process:
        until(lambda: server.requests() == 1)
        process.send_signal(signal.SIGUSR1)
        assert line(process) == "handled"
        server.go_on.set()
        assert line(process) == "held-1"


ABANDON = """
try:
    provider.token(timeout=0)
except clazar_auth.AuthTimeoutError:
    say("under way")
"""

DAEMONS = """
for _ in range(32):
    threading.Thread(target=provider.token, daemon=True).start()
while provider.stats().waited < 32:
    time.sleep(0.001)
say("under way")
"""

# Python lets other threads run in the middle of its own end; one that comes back from a wait finds
# no interpreter to come back to.
SLOW_END = """
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.3)

slow = Slow()
"""

ENDS = {
    "end of main": "",
    "sys.exit": "import sys; sys.exit(0)",
    "dropped": "del provider",
    "at exit": "import atexit; atexit.register(provider.stats)",
    "slow": SLOW_END,
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("wait", [ABANDON, DAEMONS], ids=["abandoned", "daemon threads"])
def test_a_program_ends_at_once(
    sandbox: Sandbox, sandbox_environment: dict[str, str], wait: str, end: str
) -> None:
    sandbox.set_delay(3600)
    with program(WAIT + wait + ENDS[end], sandbox_environment) as process:
        assert line(process) == "under way"


# Each runs code in Python, which may take the interpreter from the thread in its midst.
IN_PYTHON = {
    "token with wait": "provider.token(wait=3600)",
    "stats": "provider.stats()",
    "on_event": "provider.refresh()",
    "error": "provider.check_url('http://example.com')",
    "float": "provider.token(timeout=Number())",
    "requests": "requests.Request('GET', 'http://127.0.0.1', auth=provider).prepare()",
    "dropped on_event": "sandbox.provider(on_event=Function())",
    "dropped function": "clazar_auth.TokenProvider('id', Function())",
    "closed": "clazar_auth.TokenProvider('id', Function()).close()",
    "doctor": "_native._examine(lambda _: time.sleep(0.001))",
}

LOOPS = """
import requests
from clazar_auth import _native
from clazar_auth.testing import Sandbox

provider = clazar_auth.TokenProvider.from_env(on_event=lambda event: time.sleep(0.001))
sandbox = Sandbox()
running = []

class Number:
    def __float__(self):
        time.sleep(0.001)
        return 60.0

class Function:
    def __call__(self, *_):
        return ""

    def __del__(self, sleep=time.sleep):
        sleep(0.001)

def loop():
    running.append(None)
    while True:
        try:
            {call}
        except clazar_auth.ClazarAuthError:
            pass

for _ in range(8):
    threading.Thread(target=loop, daemon=True).start()
while len(running) < 8:
    time.sleep(0.001)
time.sleep(0.1)
say("under way")
"""


@pytest.mark.parametrize("end", ["end of main", "slow"])
@pytest.mark.parametrize("call", IN_PYTHON)
def test_a_program_ends_while_daemon_threads_are_in_python(
    sandbox: Sandbox, sandbox_environment: dict[str, str], call: str, end: str
) -> None:
    if call == "token with wait":
        for _ in range(100):
            sandbox.answer_next(429, headers={"Retry-After": "3600"})
    code = WAIT + LOOPS.format(call=IN_PYTHON[call]) + ENDS[end]
    with program(code, sandbox_environment) as process:
        assert line(process) == "under way"


STALE = """
import clazar_auth
from clazar_auth.testing import Sandbox

sandbox = Sandbox(lifetime=6)
provider = sandbox.provider(timeout=3600)
provider.token()
sandbox.set_delay(3600)
while sandbox.requests() == 1:
    provider.token()
print(provider.stats().waited, flush=True)
"""


def test_a_program_ends_at_once_during_a_background_renewal(
    sandbox_environment: dict[str, str],
) -> None:
    with program(STALE, sandbox_environment) as process:
        assert line(process) == "1"
