"""The command doctor: prints what the core finds."""

from __future__ import annotations

import sys
from argparse import Namespace

from clazar_auth import _native
from clazar_auth._cli import DONE, FAILED, USAGE
from clazar_auth._cli.output import GREEN, RED, YELLOW, painted, say, say_json
from clazar_auth._cli.tokens import store_of
from clazar_auth._cli.waiting import wait_for

COLOURS = {"ok": GREEN, "warning": YELLOW, "failed": RED}


def doctor(arguments: Namespace) -> int:
    store = store_of(arguments)
    steps = [
        # The other commands go on without the store that nobody asked for.
        (name, "warning", text, None)
        if (name, error, store) == ("store", "ConfigurationError", "file")
        else (name, status, text, error)
        for name, status, text, error in wait_for(lambda: _native._examine(store))
    ]
    errors = [error for *_, error in steps if error]
    if arguments.json:
        names = ("name", "status", "text", "error")
        say_json(ok=not errors, steps=[dict(zip(names, step, strict=True)) for step in steps])
    else:
        for name, status, text, _ in steps:
            # Padded first, since a terminal does not see the colour.
            mark = painted(f"{status:<7}", COLOURS.get(status), sys.stdout)
            say(f"  {name:<11}  {text}", mark=mark)
    if "ConfigurationError" in errors:
        return USAGE
    return FAILED if errors else DONE
