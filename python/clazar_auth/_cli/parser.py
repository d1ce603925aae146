"""The words that the command line takes."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from typing import Any, NoReturn

import clazar_auth
from clazar_auth._cli import DONE, USAGE
from clazar_auth._cli.output import printable, write

# For shtab, which writes the scripts: that an argument is a file.
FILES = {"bash": "_shtab_compgen_files", "zsh": "_files"}


class Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if sys.stderr is None:
            sys.exit(USAGE)  # argparse would tell it on standard output.
        super().error(printable(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse would pass over what cannot be written.
        if file is sys.stdout:
            write(message)
        else:
            super()._print_message(message, file)


def parser() -> ArgumentParser:
    """The parser; it gives the name of the command as ``command``, None without any."""
    (_, description, epilog), *others = texts()
    whole = Parser(
        prog="clazar-auth",
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
    )
    version = f"%(prog)s {clazar_auth.__version__}"
    whole.add_argument("--version", action="version", version=version)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, description, epilog in others:
        command = commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            epilog=epilog,
            formatter_class=RawDescriptionHelpFormatter,
        )
        command.set_defaults(parser=command)
        add_arguments(name, command, [other for other, *_ in others])
    whole.set_defaults(parser=whole, parsers={None: whole, **commands.choices})
    return whole


def texts() -> Iterator[list[str]]:
    """Of the whole, and of each command: its name, what it does, and what follows the options."""
    with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as file:
        for text in file.read().split("\n====\n"):
            name, _, text = text.partition("\n")
            description, examples, epilog = text.partition("examples:")
            yield [name, description.rstrip(), examples + epilog.rstrip()]


def add_arguments(name: str, command: ArgumentParser, names: list[str]) -> None:
    add = command.add_argument
    if name in {"token", "header", "status", "logout", "doctor"}:
        file = add("--client-secret-file", metavar="FILE", help="read the secret here")
        file.complete = FILES  # type: ignore[attr-defined]
        add("--auth-url", metavar="URL", help="authenticate at this URL")
        store = "keep the token there, as CLAZAR_STORE says"
        either = command.add_mutually_exclusive_group()
        either.add_argument("--store", help=store)
        if name not in {"status", "logout"}:
            none = "keep the token only in memory"
            either.add_argument(
                "--no-store", action="store_const", const="memory", dest="store", help=none
            )
    if name in {"token", "header", "status", "doctor", "sandbox"}:
        add("--json", action="store_true", help="print JSON")
    if name == "sandbox":
        add("--port", type=number, default=0, metavar="PORT", help="listen on this port")
        add("--lifetime", type=float, metavar="SECONDS", help="how long tokens are valid")
        add("--delay", type=float, metavar="SECONDS", help="how long a token request takes")
        answer = "answer a token request with this HTTP status, one after the other"
        add("--answer", type=number, action="append", default=[], metavar="STATUS", help=answer)
        program = "run this with the sandbox's options in its environment, then end"
        run = add("run", nargs="*", metavar="-- COMMAND", help=program)
        run.complete = FILES  # type: ignore[attr-defined]
    if name == "completion":
        add("shell", choices=["bash", "zsh", "fish"], help="for which shell")
    if name == "help":
        add("about", nargs="?", metavar="COMMAND", choices=names, help="about this command")


def number(text: str) -> int:
    if not 0 <= int(text) < 65_536:
        raise ValueError
    return int(text)


def help(arguments: Namespace) -> int:
    """The command help."""
    arguments.parsers[arguments.about].print_help()
    return DONE
