"""What differs on Windows for the command line."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen


def block_signals() -> None:
    """Let Ctrl-C wait for until_interrupted(), in the threads that are started from now on too."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


@contextmanager
def until_interrupted() -> Iterator[None]:
    """Do what is in it, then wait for Ctrl-C, or for a signal that asks this process to end."""
    if sys.platform != "win32":
        yield
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
        return
    with suppress(KeyboardInterrupt):
        yield
        while True:
            sleep(3600)


def forward_signals(process: Popen[bytes]) -> None:
    """Go on until the process has ended, which gets Ctrl-C too, and may take its time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # On Windows TerminateProcess cannot be caught.
    if sys.platform != "win32":
        for end in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, lambda number, _: process.send_signal(number))


def program(name: str) -> str:
    """What to start by this name. Windows itself finds no script, such as npm.cmd."""
    from shutil import which

    return sys.platform == "win32" and which(name) or name


def assignment(name: str, value: str | None) -> str:
    """The line that sets a variable, or takes it out, in the shell: on Windows, in PowerShell."""
    if sys.platform == "win32":
        return f"$env:{name} = " + ("$null" if value is None else f"'{value}'")
    return f"unset {name}" if value is None else f"export {name}={value}"


def has_colours() -> bool:
    """Whether a terminal has colours: an older one of Windows shows their codes."""
    return sys.platform != "win32" or "WT_SESSION" in os.environ


def reader_has_gone(error: OSError) -> bool:
    """Whether nobody reads the output any more, for which Windows has an error of its own as well."""
    return error.errno == errno.EPIPE or (sys.platform == "win32" and error.errno == errno.EINVAL)
