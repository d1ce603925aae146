"""The command line: ``clazar-auth``, or ``python -m clazar_auth``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import clazar_auth
from clazar_auth import ClazarAuthError, ConfigurationError, TokenProvider

DESCRIPTION = """\
Access tokens for the Clazar API.

The credentials come from the environment: CLAZAR_CLIENT_ID, and CLAZAR_CLIENT_SECRET or
CLAZAR_CLIENT_SECRET_FILE. CLAZAR_AUTH_URL names another URL to authenticate at.

The token is kept in a file of yours, sealed with the client secret, so that the next command finds
it. CLAZAR_STORE names another place: memory (nowhere), the path of a
folder, or the URL of a Redis."""

EPILOG = "exit status: 0 done, 1 refused or failed, 2 wrong usage or configuration"


DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def provider_of(arguments: argparse.Namespace) -> TokenProvider:
    """The provider of the environment, with the file store unless another is named."""
    if arguments.no_store:
        return TokenProvider.from_env(store="memory")
    if os.environ.get("CLAZAR_STORE"):
        return TokenProvider.from_env()
    try:
        return TokenProvider.from_env(store="file")
    except ConfigurationError as error:
        provider = TokenProvider.from_env(store="memory")  # Raises what is not the store's fault.
        print(f"clazar-auth: going on without a store: {error}", file=sys.stderr)
        return provider


def token(arguments: argparse.Namespace) -> int:
    """print the access token"""
    with provider_of(arguments) as provider:
        token = provider.token()
        if arguments.json:
            print_json(
                access_token=token.value,
                token_type=token.token_type,
                expires_in=int(token.expires_in),
                expires_at=token.expires_at.isoformat(timespec="seconds"),
            )
        else:
            print(token.value)
    return DONE


def header(arguments: argparse.Namespace) -> int:
    """print the header, for curl -H "$(clazar-auth header)" URL"""
    with provider_of(arguments) as provider:
        if arguments.json:
            print_json(**provider.headers())
        else:
            print(f"Authorization: {provider.authorization()}")
    return DONE


def status(arguments: argparse.Namespace) -> int:
    """tell where the token is kept and how long it lives, without asking for one"""
    with provider_of(arguments) as provider:
        token, store = provider._stored()
        if arguments.json:
            print_json(
                store=store,
                fingerprint=token and token.fingerprint,
                expires_in=token and int(token.expires_in),
                expires_at=token and token.expires_at.isoformat(timespec="seconds"),
            )
        elif token:
            print(f"store: {store}")
            print(f"token: {token.fingerprint} (the start of its SHA-256 hash)")
            print(f"lives: {int(token.expires_in)} s, until {token.expires_at:%Y-%m-%d %H:%M:%S} UTC")
        else:
            print(f"store: {store}")
            print("token: none")
    return DONE


def logout(arguments: argparse.Namespace) -> int:
    """erase the token from the store"""
    with provider_of(arguments) as provider:
        provider._forget()
    return DONE


def sandbox(arguments: argparse.Namespace) -> int:
    """run a stand-in for the API on loopback: until Ctrl-C, or for one command"""
    from clazar_auth.testing import Sandbox

    end = {signal.SIGINT, signal.SIGTERM}
    if not arguments.run:
        signal.pthread_sigmask(signal.SIG_BLOCK, end)
    with Sandbox() as sandbox:
        variables = {
            "CLAZAR_AUTH_URL": sandbox.auth_url,
            "CLAZAR_CLIENT_ID": sandbox.client_id,
            "CLAZAR_CLIENT_SECRET": sandbox.client_secret,
        }
        if arguments.run:
            return run(arguments.run, variables)
        if arguments.json:
            print_json(url=sandbox.url, **{k.removeprefix("CLAZAR_").lower(): v for k, v in variables.items()})
        else:
            print(f"# The sandbox is at {sandbox.url} until Ctrl-C. In another shell:")
            for name, value in variables.items():
                print(f"export {name}={value}")
        sys.stdout.flush()
        signal.sigwait(end)
    return DONE


def run(command: list[str], variables: dict[str, str]) -> int:
    import subprocess

    environment = {**os.environ, **variables}
    environment.pop("CLAZAR_CLIENT_SECRET_FILE", None)
    try:
        return subprocess.run(command, env=environment).returncode
    except OSError as error:
        print(f"clazar-auth: {command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return USAGE


def demo(_arguments: argparse.Namespace) -> int:
    """fetch a token from a sandbox and list its listings"""
    from clazar_auth.testing import Sandbox

    with Sandbox() as sandbox, sandbox.provider() as provider:
        print(f"Started a stand-in for the Clazar API at {sandbox.url}")
        token = provider.token()
        print(f"Exchanged a client id and secret for {token!r}")
        listings = get(f"{sandbox.url}/listings/", provider.headers())
        print(f"Listed /listings/ with the header Authorization: Bearer ..., {len(listings)} found:")
        for listing in listings:
            print(f"  {listing['id']}: {listing['name']}")
        provider.headers()
        print(f"Asked for the header again: {sandbox.requests()} token request in all")
    return DONE


def get(url: str, headers: dict[str, str]) -> list[dict[str, str]]:
    from urllib.request import ProxyHandler, Request, build_opener

    with build_opener(ProxyHandler({})).open(Request(url, headers=headers)) as response:
        results: list[dict[str, str]] = json.load(response)["results"]
        return results


def print_json(**fields: Any) -> None:
    print(json.dumps(fields))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="clazar-auth",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=clazar_auth.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (token, header, status, logout, sandbox, demo):
        subparser = commands.add_parser(
            command.__name__, help=command.__doc__, description=command.__doc__, epilog=EPILOG
        )
        subparser.set_defaults(command=command)
        if command in (token, header, status, logout):
            subparser.add_argument(
                "--no-store", action="store_true", help="keep the token in memory alone"
            )
        if command not in (logout, demo):
            subparser.add_argument("--json", action="store_true", help="print JSON")
        if command is sandbox:
            subparser.add_argument(
                "run",
                nargs="*",
                metavar="-- COMMAND",
                help="run this with the sandbox's settings in its environment, then end",
            )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is returned."""
    parsed = parse(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except ClazarAuthError as error:
        print(f"clazar-auth: {error}", file=sys.stderr)
        return USAGE if isinstance(error, ConfigurationError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
