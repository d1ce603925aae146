"""The words that the command line takes, and its help."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import NoReturn

import clazar_auth
from clazar_auth._cli.output import printable

DESCRIPTION = """\
Access tokens for the Clazar API.

The credentials come from the environment: CLAZAR_CLIENT_ID, and CLAZAR_CLIENT_SECRET or
CLAZAR_CLIENT_SECRET_FILE. CLAZAR_AUTH_URL names another URL to authenticate at.

The token is kept in a file that only you can read, sealed with the client secret, so that the
next command finds it. CLAZAR_STORE names another place: memory (nowhere), the path of a folder,
or the URL of a Redis."""

EPILOG = """\
examples:
  clazar-auth token
  clazar-auth token --help
  clazar-auth sandbox -- clazar-auth doctor

exit status:
  0    done
  1    refused or failed
  2    wrong usage or configuration
  130  ended by Ctrl-C"""

# Of each command: a sentence that a list of commands shows too, more of it, and examples.

TOKEN = """\
Print the access token.

It is the one in the store as long as that is fresh, else a new one."""
TOKEN_EPILOG = """\
examples:
  token=$(clazar-auth token)
  clazar-auth token --json | jq .expires_at

exit status: 0 printed, 1 no token can be had, 2 wrong usage or configuration"""

HEADER = """\
Print the header that a request to the API needs.

It carries the token that `clazar-auth token` prints."""
HEADER_EPILOG = """\
examples:
  curl -H @<(clazar-auth header) https://api.clazar.io/listings/      # bash, zsh
  clazar-auth header | curl -H @- https://api.clazar.io/listings/     # any shell

In an argument of curl, other users of the machine would see the token.

exit status: 0 printed, 1 no token can be had, 2 wrong usage or configuration"""

STATUS = """\
Tell where the token is kept and how long it is valid.

The start of its hash tells it from others. No token is asked for."""
STATUS_EPILOG = """\
examples:
  clazar-auth status
  clazar-auth status --json | jq .expires_in

exit status: 0 told, with or without a token, 1 the store cannot be read, 2 wrong usage or
configuration"""

LOGOUT = """\
Erase the token from the store.

The API still accepts it until it expires."""
LOGOUT_EPILOG = """\
examples:
  clazar-auth logout

exit status: 0 there is no token now, 1 it could not be erased, 2 wrong usage or configuration"""

DOCTOR = """\
Find out what stands between this machine and a token.

It checks one after the other: the credentials, the options, the authorities that are trusted,
the name of the API's host or of the proxy, the connection, TLS, the token request, how long the
token is valid, this machine's clock, and the store; and says what to do about what fails. It asks
for one token and keeps none. No secret is shown."""
DOCTOR_EPILOG = """\
examples:
  clazar-auth doctor
  clazar-auth doctor --json | jq -r '.steps[] | select(.status == "failed") | .text'

exit status: 0 all is well, perhaps with warnings, 1 a check failed, 2 wrong usage, or an option
is missing or unusable"""

SANDBOX = """\
Run a stand-in for the API on this machine.

It runs until Ctrl-C, or for one command. It needs no credentials: it prints some, or gives them
to the command."""
SANDBOX_EPILOG = """\
examples:
  clazar-auth sandbox
  clazar-auth sandbox -- python my_program.py

exit status: 0 ended, 1 it could not start; with a command that command's own, or 2 if it cannot
be run"""

DEMO = """\
Get a token from a sandbox, and use it."""
DEMO_EPILOG = """\
examples:
  clazar-auth demo

exit status: 0 shown, 1 failed, 2 wrong usage"""

COMPLETION = """\
Print a script that completes commands and options.

The shell reads it when it starts."""
COMPLETION_EPILOG = """\
examples:
  eval "$(clazar-auth completion bash)"    # in ~/.bashrc
  eval "$(clazar-auth completion zsh)"     # in ~/.zshrc, after compinit

exit status: 0 printed, 2 wrong usage"""


class Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def parser() -> ArgumentParser:
    """The parser; it gives the name of the command as ``command``, None without any."""
    whole = Parser(
        prog="clazar-auth",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=clazar_auth.__version__)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def add(name: str, description: str, epilog: str) -> ArgumentParser:
        return commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            epilog=epilog,
            formatter_class=RawDescriptionHelpFormatter,
        )

    token = add("token", TOKEN, TOKEN_EPILOG)
    header = add("header", HEADER, HEADER_EPILOG)
    status = add("status", STATUS, STATUS_EPILOG)
    logout = add("logout", LOGOUT, LOGOUT_EPILOG)
    doctor = add("doctor", DOCTOR, DOCTOR_EPILOG)
    sandbox = add("sandbox", SANDBOX, SANDBOX_EPILOG)
    add("demo", DEMO, DEMO_EPILOG)
    completion = add("completion", COMPLETION, COMPLETION_EPILOG)

    for command in (token, header, doctor):
        command.add_argument(
            "--no-store", action="store_true", help="keep the token only in memory"
        )
    for command in (status, logout):
        command.set_defaults(no_store=False)
    for command in (token, header, status, doctor, sandbox):
        command.add_argument("--json", action="store_true", help="print JSON")
    program = sandbox.add_argument(
        "run",
        nargs="*",
        metavar="-- COMMAND",
        help="run this with the sandbox's options in its environment, then end",
    )
    # For shtab, which writes the scripts: that it is a file.
    files = {"bash": "_shtab_compgen_files", "zsh": "_files"}
    program.complete = files  # type: ignore[attr-defined]
    completion.add_argument("shell", choices=["bash", "zsh"], help="for which shell")
    return whole
