"""Waiting for the API: a terminal shows it, and Ctrl-C ends it at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

QUIET = 1.0
"""Seconds for which nobody wonders what is going on."""
NOTICE = "clazar-auth: waiting for the API..."


def wait_for(work: Callable[[], T]) -> T:
    """What `work` returns or raises. It runs on another thread; Ctrl-C ends the wait for it."""
    results: list[T] = []
    errors: list[Exception] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    if not done.wait(QUIET):
        try:
            show(NOTICE)
            done.wait()
        finally:
            # Blanks, since not every terminal can erase; two more for a ^C.
            blanks = " " * (len(NOTICE) + len("^C"))
            show(f"\r{blanks}\r")
    if errors:
        raise errors[0]
    return results[0]


def show(text: str) -> None:
    """Print a part of a line on standard error, if that is a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):
            print(text, end="", flush=True, file=sys.stderr)
