"""The command doctor: prints what the core finds."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable

from clazar_auth import _native
from clazar_auth._cli import DONE, FAILED, USAGE
from clazar_auth._cli.output import GREEN, RED, YELLOW, painted, say, say_json
from clazar_auth._cli.tokens import store_of
from clazar_auth._cli.waiting import each

Step = tuple[str, str, str, str | None]
COLOURS = {"ok": GREEN, "warning": YELLOW, "failed": RED}


def doctor(arguments: Namespace) -> int:
    store = store_of(arguments)

    def examine(tell: Callable[[Step], None]) -> None:
        _native._examine(
            tell,
            client_secret_file=arguments.client_secret_file,
            auth_url=arguments.auth_url,
            store="file" if store is None else store,
        )

    # By name, since a step may be told again.
    steps: dict[str, Step] = {}
    for name, status, text, error in each(examine):
        if (name, error, store) == ("store", "ConfigurationError", None):
            # The other commands go on without the store that nobody asked for.
            status, error = "warning", None
        steps[name] = name, status, text, error
        if not arguments.json:
            # Padded first, since a terminal does not see the colour.
            mark = painted(f"{status:<7}", COLOURS.get(status), sys.stdout)
            say(f"  {name:<11}  {text}", mark=mark)
    errors = [error for *_, error in steps.values() if error]
    if arguments.json:
        names = ("name", "status", "text", "error")
        told = [dict(zip(names, step, strict=True)) for step in steps.values()]
        say_json(ok=not errors, steps=told)
    if "ConfigurationError" in errors:
        return USAGE
    return FAILED if errors else DONE
