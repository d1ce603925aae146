"""Waiting for the API: a terminal shows it, and Ctrl-C ends it at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

QUIET = 1.0
"""Seconds for which nobody wonders what is going on."""
NOTICE = "clazar-auth: waiting for the API..."
BETWEEN_SIGNALS = 0.05
"""Seconds. A signal that comes just before a wait begins does not end it, and on Windows none does."""


def wait_for(work: Callable[[], T]) -> T:
    """What `work` returns or raises. It runs on another thread; Ctrl-C ends the wait for it."""
    results: Iterator[T] = each(lambda tell: tell(work()))
    (result,) = results
    return result


def each(work: Callable[[Callable[[T], None]], None]) -> Iterator[T]:
    """What `work` hands to the function that it gets, at once; then what it raises."""
    results: SimpleQueue[T | Exception] = SimpleQueue()

    def run() -> None:
        try:
            work(results.put)
            results.put(StopIteration())
        except Exception as error:
            results.put(error)

    threading.Thread(target=run, daemon=True).start()
    while not isinstance(result := next_of(results), StopIteration):
        if isinstance(result, Exception):
            raise result
        yield result


def next_of(results: SimpleQueue[T]) -> T:
    with suppress(Empty):
        return get(results, QUIET)
    try:
        show(NOTICE)
        return get(results)
    finally:
        # Blanks, since not every terminal can erase; two more for a ^C.
        blanks = " " * (len(NOTICE) + len("^C"))
        show(f"\r{blanks}\r")


def get(results: SimpleQueue[T], timeout: float = inf) -> T:
    """The next result."""
    end = monotonic() + timeout
    while (left := end - monotonic()) > 0:
        with suppress(Empty):
            return results.get(timeout=min(left, BETWEEN_SIGNALS))
    raise Empty


def is_watched() -> bool:
    """Whether somebody may read standard error as it comes."""
    return sys.stderr is not None and sys.stderr.isatty()


def show(text: str) -> None:
    """Print a part of a line on standard error, if that is a terminal."""
    if is_watched():
        with suppress(OSError):
            print(text, end="", flush=True, file=sys.stderr)
