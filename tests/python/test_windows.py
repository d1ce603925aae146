"""What the command line does on Windows, as far as another system can show it."""

from __future__ import annotations

import errno
import io
import os
import sys
from queue import Empty, SimpleQueue
from types import SimpleNamespace

import pytest
from helpers import python

from clazar_auth.__main__ import main
from clazar_auth._cli import output, system, waiting

# The command line with the signals that there are, and without the others.
COMMAND = """
import signal, sys, types

for name in ("pthread_sigmask", "sigwait", "SIGHUP"):
    delattr(signal, name)

from clazar_auth.__main__ import main
from clazar_auth._cli import system

system.sys = types.SimpleNamespace(platform="win32")
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "sys", SimpleNamespace(platform="win32"))


def test_the_sandbox_runs_a_command() -> None:
    code = "import os; print(os.environ['CLAZAR_CLIENT_ID']); raise SystemExit(7)"
    done = python(COMMAND, arguments=["sandbox", "--", sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.strip()


def test_the_sandbox_prints_what_powershell_takes(windows: None) -> None:
    assert system.assignment("CLAZAR_CLIENT_ID", "id") == "$env:CLAZAR_CLIENT_ID = 'id'"
    assert system.assignment("CLAZAR_STORE", None) == "$env:CLAZAR_STORE = $null"


def test_a_script_is_found_by_its_name(
    windows: None, monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    script = os.path.join(tmp_path, "npm")
    with open(script, "w", opener=lambda path, flags: os.open(path, flags, 0o755)):
        pass
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert system.program("npm") == script
    assert system.program("nowhere") == "nowhere"


def test_no_wait_is_longer_than_a_moment_so_that_ctrl_c_ends_it(windows: None) -> None:
    waits: list[float] = []

    class Queue(SimpleQueue[str]):
        def get(self, block: bool = True, timeout: float | None = None) -> str:
            assert timeout is not None
            waits.append(timeout)
            if len(waits) == 3:
                raise KeyboardInterrupt
            raise Empty

    with pytest.raises(KeyboardInterrupt):
        waiting.next_of(Queue())
    assert max(waits) <= 0.05


def test_lines_end_as_they_do_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, newline="\r\n"))
    assert main(["completion", "bash"]) == 0
    assert b"\n" in written.getvalue() and b"\r" not in written.getvalue()


def test_a_reader_that_has_gone(windows: None) -> None:
    assert system.reader_has_gone(OSError(errno.EINVAL, ""))
    assert system.reader_has_gone(BrokenPipeError(errno.EPIPE, ""))
    assert not system.reader_has_gone(OSError(errno.ENOSPC, ""))


def test_only_a_newer_terminal_shows_colours(
    windows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "TERM", "WT_SESSION"):
        monkeypatch.delenv(name, raising=False)
    assert output.painted("a", output.RED, Terminal()) == "a"
    monkeypatch.setenv("WT_SESSION", "an id")
    assert output.painted("a", output.RED, Terminal()) == "\033[31ma\033[0m"
