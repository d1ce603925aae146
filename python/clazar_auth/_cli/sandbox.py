"""The commands sandbox and demo, on a stand-in for the API."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import suppress

from clazar_auth._cli import DONE, USAGE, system
from clazar_auth._cli.output import complain, say, say_json
from clazar_auth._variables import VARIABLES


def sandbox(arguments: Namespace) -> int:
    from clazar_auth.testing import Sandbox

    if not arguments.run:
        system.block_signals()
    with Sandbox(
        port=arguments.port, lifetime=arguments.lifetime, delay=arguments.delay
    ) as sandbox:
        for status in arguments.answer:
            sandbox.answer_next(status)
        options = {
            "auth_url": sandbox.auth_url,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        }
        variables = {f"CLAZAR_{name.upper()}": value for name, value in options.items()}
        if arguments.run:
            try:
                return run(arguments.run, variables)
            finally:
                forget(**options)
        with system.until_interrupted():
            if arguments.json:
                say_json(url=sandbox.url, **options)
            else:
                say(f"# The sandbox is at {sandbox.url} until Ctrl-C. In another shell:")
                for name in VARIABLES:
                    say(system.assignment(name, variables.get(name)))
    return DONE


def run(command: list[str], variables: dict[str, str]) -> int:
    import subprocess

    from clazar_auth.testing._environment import without_proxy

    variables = {**variables, **without_proxy(os.environ)}
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    try:
        started = [system.program(command[0]), *command[1:]]
        process = subprocess.Popen(started, env=environment | variables)
    except OSError as error:
        complain(f"{command[0]} cannot be run: {error.strerror}")
        return USAGE
    system.forward_signals(process)
    status = process.wait()
    # As shells tell of a signal.
    return status if status >= 0 else 128 - status


def forget(client_id: str, client_secret: str, auth_url: str) -> None:
    """Takes the sandbox's token out of the file in which the commands keep it."""
    from clazar_auth import ClazarAuthError, TokenProvider

    with suppress(ClazarAuthError):
        TokenProvider(client_id, client_secret, auth_url=auth_url, store="file")._forget()


def demo(_arguments: Namespace) -> int:
    from clazar_auth.testing import Sandbox

    with Sandbox() as sandbox, sandbox.provider() as provider:
        say(f"Started a stand-in for the Clazar API at {sandbox.url}")
        token = provider.token()
        say(f"Got {token!r} for a client id and secret")
        listings = get(f"{sandbox.url}/listings/", provider.headers())
        say(f"Listed /listings/ with the header Authorization: Bearer ..., {len(listings)} found:")
        for listing in listings:
            say(f"  {listing['id']}: {listing['title']}")
        provider.headers()
        say(f"Asked for the header again: {sandbox.requests()} token request in all")
    return DONE


def get(url: str, headers: dict[str, str]) -> list[dict[str, str]]:
    import json
    from urllib.request import ProxyHandler, Request, build_opener

    with build_opener(ProxyHandler({})).open(Request(url, headers=headers)) as response:
        results: list[dict[str, str]] = json.load(response)["results"]
        return results
