"""What the command line does at a terminal, and away from one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from queue import SimpleQueue

import pytest
from helpers import LONG, HeldServer, until
from terminal import Terminal

from clazar_auth._cli import waiting
from clazar_auth.testing import Sandbox

COMMAND = os.path.join(sysconfig.get_path("scripts"), "clazar-auth")
TOKEN = [COMMAND, "token", "--no-store"]
NOTICE = "clazar-auth: waiting for the API..."
ERASED = NOTICE + "\r" + " " * (len(NOTICE) + 2) + "\r"
COLOUR = "\033["


def test_a_long_wait_is_shown_and_erased() -> None:
    with HeldServer() as server, Terminal(TOKEN, **server.environment()) as terminal:
        terminal.until(NOTICE)
        server.go_on.set()
        assert terminal.end() == 0
    assert terminal.shown == ERASED + "held-1\r\n"


def test_the_doctor_waits_alike_and_shows_each_step_as_it_ends() -> None:
    with HeldServer() as server, Terminal([COMMAND, "doctor"], **server.environment()) as terminal:
        for step in ("credentials", "options", "name lookup", "connection", NOTICE):
            terminal.until(step)
        server.go_on.set()
        terminal.until(ERASED.removeprefix(NOTICE))
        terminal.until("request")
        terminal.end()
    assert terminal.shown.count(NOTICE) == 1
    assert terminal.shown.count("connection") == 1


def test_the_steps_that_ended_before_an_interrupt_are_kept() -> None:
    command = [COMMAND, "doctor"]
    with (
        HeldServer() as server,
        subprocess.Popen(command, stdout=subprocess.PIPE, env=server.environment()) as process,
    ):
        until(lambda: server.requests() == 1)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert b"127.0.0.1 takes port" in shown


def test_a_short_wait_is_not_shown(sandbox_environment: dict[str, str]) -> None:
    with Terminal(TOKEN) as terminal:
        assert terminal.end() == 0
    assert terminal.shown.count(".") == 2
    assert terminal.shown.count("\r") == 1


def test_a_long_wait_is_not_shown_without_a_terminal(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    sandbox.set_delay(1.5)
    result = subprocess.run([COMMAND, "token"], capture_output=True, text=True, timeout=LONG)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\r" not in result.stdout


@pytest.mark.parametrize("command", ["token", "header", "doctor"])
@pytest.mark.parametrize("is_shown", [True, False])
def test_an_interrupt_ends_the_wait(command: str, is_shown: bool) -> None:
    with HeldServer() as server, Terminal([COMMAND, command], **server.environment()) as terminal:
        until(lambda: server.requests() == 1)
        if is_shown:
            terminal.until(NOTICE)
        terminal.press("\x03")
        typed = time.monotonic()
        assert terminal.end() == 130
        assert time.monotonic() - typed < 10
    assert terminal.shown.endswith(ERASED.removeprefix(NOTICE) if is_shown else "")
    assert "Traceback" not in terminal.shown


def test_an_interrupt_that_wakes_nobody_ends_the_wait_as_well() -> None:
    """As one does that comes just before the wait: its handler has run, and a flag is all it leaves."""
    results: SimpleQueue[str] = SimpleQueue()
    over = threading.Event()
    was_over = []

    def interrupt() -> None:
        main = threading.main_thread().ident
        until(lambda: main and sys._current_frames()[main].f_code is waiting.get.__code__)
        signal.raise_signal(signal.SIGINT)
        was_over.append(over.wait(LONG))
        results.put("to end the wait at last")

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        waiting.get(results)
    over.set()
    thread.join()
    assert was_over == [True]


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colours(
    sandbox_environment: dict[str, str], variables: dict[str, str], is_coloured: bool
) -> None:
    with Terminal([COMMAND, "doctor"], **variables) as terminal:
        assert terminal.end() == 0
    assert ("\033[32mok" in terminal.shown) is is_coloured
    assert (COLOUR in terminal.shown) is is_coloured
    with Terminal([COMMAND, "token"], **variables, CLAZAR_CLIENT_ID="") as terminal:
        assert terminal.end() == 2
    assert ("\033[31mclazar-auth:\033[0m no client id" in terminal.shown) is is_coloured
    assert (COLOUR in terminal.shown) is is_coloured


def test_no_colours_without_a_terminal(sandbox_environment: dict[str, str]) -> None:
    environment = {**os.environ, "TERM": "xterm"}
    for variables in ({}, {"CLAZAR_CLIENT_ID": ""}):
        result = subprocess.run(
            [COMMAND, "doctor"], capture_output=True, text=True, env={**environment, **variables}
        )
        assert COLOUR not in result.stdout + result.stderr
