"""What the commands print, and in which colour."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from clazar_auth._cli.system import has_colours, reader_has_gone

RED, GREEN, YELLOW = 31, 32, 33


class OutputError(Exception):
    """Standard output takes no more. The text says why; it is empty if the reader has gone."""


def say(text: str, *, mark: str = "") -> None:
    """Print a line of the result, at once, after a mark that may be painted."""
    write(f"{mark}{printable(text)}\n")


def say_json(**fields: Any) -> None:
    """Print an object of the result as a line of JSON."""
    import json

    say(json.dumps(fields))


def write(text: str) -> None:
    """Write out a part of the result: at the program's end an error has no handler."""
    if sys.stdout is None:
        raise OutputError(os.strerror(errno.EBADF))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError("" if reader_has_gone(error) else error.strerror) from error


def complain(text: str) -> None:
    """Print a line on standard error."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(painted("clazar-auth:", RED, sys.stderr), printable(text), file=sys.stderr)


def printable(text: str) -> str:
    """The text on one line, without what a terminal would obey, whoever wrote it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def painted(text: str, colour: int | None, stream: TextIO | None) -> str:
    """The text in a colour, on a terminal that has colours and whose user wants them."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if colour is None or stream is None or plain or not (stream.isatty() and has_colours()):
        return text
    return f"\033[{colour}m{text}\033[0m"
