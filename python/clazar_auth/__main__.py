"""The command line: ``clazar-auth``, or ``python -m clazar_auth``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from io import TextIOWrapper

from clazar_auth import ClazarAuthError, ConfigurationError
from clazar_auth._cli import FAILED, INTERRUPTED, USAGE
from clazar_auth._cli.completion import completion
from clazar_auth._cli.doctor import doctor
from clazar_auth._cli.output import OutputError, complain
from clazar_auth._cli.parser import help, parser
from clazar_auth._cli.sandbox import demo, sandbox
from clazar_auth._cli.tokens import header, logout, status, token

COMMANDS: dict[str, Callable[[Namespace], int]] = {
    command.__name__: command
    for command in (token, header, status, logout, doctor, sandbox, demo, completion, help)
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is returned."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A path may have characters that the terminal does not. A shell, also one on Windows,
            # takes a carriage return for a part of the token.
            stream.reconfigure(errors="backslashreplace", newline="\n")
    try:
        return run(arguments)
    except ClazarAuthError as error:
        complain(str(error))
        return USAGE if isinstance(error, ConfigurationError) else FAILED
    except OutputError as error:
        if str(error):
            complain(f"the output cannot be written: {error}; send it elsewhere")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def run(arguments: list[str] | None) -> int:
    whole = parser()
    parsed, unknown = whole.parse_known_args(arguments)
    if parsed.command is None:
        if sys.stderr is not None:
            whole.print_help(sys.stderr)
        return USAGE
    if unknown:
        parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return COMMANDS[parsed.command](parsed)


if __name__ == "__main__":
    sys.exit(main())
