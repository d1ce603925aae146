"""Forked children, and the processes of multiprocessing."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from helpers import LONG, HeldServer, until

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox


class Child:
    """A forked process that calls functions when told to, and that nobody waits for in vain."""

    def __init__(self, **functions: Callable[[], object]) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of what is tested here.
            warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self._pipe.close()
            live(theirs, functions)
        theirs.close()

    def tell(self, function: str) -> None:
        self._pipe.send(function)

    def result(self) -> Any:
        if not self._pipe.poll(LONG):
            os.kill(self.pid, signal.SIGKILL)
            pytest.fail("the child hangs")
        done, result = self._pipe.recv()
        assert done, result
        return result

    def ask(self, function: str) -> Any:
        self.tell(function)
        return self.result()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        status: list[int] = []

        def ended() -> bool:
            pid, wait_status = os.waitpid(self.pid, os.WNOHANG)
            status.extend([wait_status] * bool(pid))
            return bool(status)

        try:
            until(ended)
        finally:
            if not status:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        assert status in ([0], [signal.SIGKILL])


def live(pipe: Connection, functions: dict[str, Callable[[], object]]) -> None:
    """The child's life; it never gets back to pytest."""
    try:
        while True:
            name = pipe.recv()
            try:
                pipe.send((True, functions[name]()))
            except Exception:
                pipe.send((False, traceback.format_exc()))
    except EOFError:
        os._exit(0)
    finally:
        os._exit(1)


def test_a_child_keeps_the_token(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    before = provider.authorization()
    with Child(authorization=provider.authorization, headers=provider.headers) as child:
        assert child.ask("authorization") == before
        assert child.ask("headers") == provider.headers() == {"Authorization": before}
    assert sandbox.requests() == 1


def test_without_a_token_each_gets_its_own(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    with Child(authorization=provider.authorization) as child:
        assert child.ask("authorization") != provider.authorization()
    assert sandbox.requests() == 2


def test_a_child_does_not_keep_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        provider = TokenProvider("id", "not-a-real-secret", auth_url=url, timeout=LONG)
        thread = threading.Thread(target=provider.token)
        thread.start()
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as request:
            connection.settimeout(LONG)
            while b"}" not in request.readline(1):
                pass
            with Child(peek=provider.peek) as child:
                body = b'{"access_token": "t"}'
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )
                thread.join(LONG)
                connection.settimeout(9)
                assert request.read(1) == b"", "the end of the connection"
                assert child.ask("peek") is None


def test_a_fork_while_a_token_request_is_under_way() -> None:
    with HeldServer() as server:
        provider = server.provider()
        values: list[str] = []
        thread = threading.Thread(target=lambda: values.append(provider.token().value))
        thread.start()
        until(lambda: server.requests() == 1)
        with Child(token=lambda: provider.token().value) as child:
            child.tell("token")
            until(lambda: server.requests() == 2)
            assert values == []
            server.go_on.set()
            assert child.result() == "held-2"
            thread.join(LONG)
            assert values == ["held-1"]
            assert child.ask("token") == "held-2"
        assert provider.token().value == "held-1"
        assert server.requests() == 2


def test_a_fork_while_the_sandbox_takes_its_time(sandbox: Sandbox) -> None:
    sandbox.set_delay(1)
    provider = sandbox.provider()
    with pytest.raises(clazar_auth.AuthTimeoutError):
        provider.token(timeout=0)
    until(lambda: sandbox.requests() == 1)
    with Child(authorization=provider.authorization) as child:
        child.tell("authorization")
        assert provider.authorization() != child.result()
    assert sandbox.requests() == 2


def test_a_child_of_a_child(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    before = provider.authorization()

    def grandchild() -> tuple[str, str]:
        with Child(authorization=provider.authorization, refresh=refresh) as child:
            return child.ask("authorization"), child.ask("refresh")

    def refresh() -> str:
        return provider.refresh().authorization

    with Child(grandchild=grandchild, refresh=refresh) as child:
        inherited, own = child.ask("grandchild")
        assert inherited == before
        assert len({before, own, child.ask("refresh"), refresh()}) == 4
    assert sandbox.requests() == 4


def test_what_is_closed_stays_closed(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    provider.close()

    def is_closed() -> bool:
        for call in (provider.token, provider.refresh, provider.authorization):
            with pytest.raises(clazar_auth.ClosedError):
                call()
        return provider.peek() is None

    with Child(is_closed=is_closed) as child:
        assert child.ask("is_closed")
    assert sandbox.requests() == 1


def test_a_child_closes_for_itself_only(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    before = provider.authorization()
    with Child(close=provider.close) as child:
        child.ask("close")
    assert provider.authorization() == before
    assert provider.refresh().authorization != before


def test_a_failure_is_not_inherited_as_a_deadlock(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(400)
    with pytest.raises(clazar_auth.RejectedError):
        provider.token()
    with Child(authorization=provider.authorization) as child:
        assert child.ask("authorization").startswith("Bearer ey")
    assert sandbox.requests() == 2


def test_forks_amid_busy_threads(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    enough = threading.Event()
    failures: list[Exception] = []

    def work() -> None:
        try:
            while not enough.is_set():
                provider.refresh()
                provider.authorization()
        except Exception as error:
            failures.append(error)

    def refresh() -> bool:
        return provider.refresh().authorization == provider.authorization()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            with Child(refresh=refresh, authorization=provider.authorization) as child:
                child.ask("authorization")
                assert child.ask("refresh")
    finally:
        enough.set()
        for thread in threads:
            thread.join(LONG)
    assert failures == []


def test_forks_amid_invalidations_and_failures(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for _ in range(20):
        sandbox.answer_next(400)
        with pytest.raises(clazar_auth.ClazarAuthError):
            provider.refresh()
        provider.invalidate(provider.refresh())
        stats = lambda: repr(provider.stats())  # noqa: E731
        with Child(authorization=provider.authorization, stats=stats) as child:
            assert child.ask("authorization").startswith("Bearer ey")
            assert child.ask("stats").startswith("Stats(")


def test_workers_of_a_preloaded_server(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    warm = provider.authorization()

    def refresh() -> str:
        return provider.refresh().authorization

    def worker() -> Child:
        return Child(authorization=provider.authorization, refresh=refresh)

    with worker() as first, worker() as second, worker() as third, worker() as fourth:
        workers = [first, second, third, fourth]
        for child in workers:
            child.tell("authorization")
        assert [child.result() for child in workers] == [warm] * 4
        assert sandbox.requests() == 1
        renewed = first.ask("refresh")
        assert renewed != warm
        assert [child.ask("authorization") for child in workers] == [renewed, *[warm] * 3]
        assert provider.authorization() == warm
        assert sandbox.requests() == 2
        assert len({child.ask("refresh") for child in workers}) == 4


MULTIPROCESSING = """
import multiprocessing, sys, warnings
import clazar_auth

inherited = None

def work(connection):
    provider = inherited or clazar_auth.TokenProvider.from_env()
    connection.send(provider.authorization())

def main(method):
    global inherited
    if method == "fork":
        # Python 3.12 warns of what is tested here.
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        inherited = clazar_auth.TokenProvider.from_env()
        inherited.token()
    context = multiprocessing.get_context(method)
    for _ in range(3):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs,))
        process.start()
        assert ours.poll(60), "it hangs"
        print(ours.recv())
        process.join(60)
        assert process.exitcode == 0

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.mark.parametrize(("method", "requests"), [("fork", 1), ("forkserver", 3), ("spawn", 3)])
@pytest.mark.parametrize("source", ["environment", "file"])
def test_multiprocessing(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    tmp_path: Path,
    method: str,
    requests: int,
    source: str,
) -> None:
    if source == "file":
        (tmp_path / "secret").write_text(sandbox_environment.pop("CLAZAR_CLIENT_SECRET"))
        sandbox_environment["CLAZAR_CLIENT_SECRET_FILE"] = str(tmp_path / "secret")
    script = tmp_path / "script.py"
    script.write_text(MULTIPROCESSING)
    command = [sys.executable, "-W", "error", str(script), method]
    result = subprocess.run(
        command, env=sandbox_environment, capture_output=True, text=True, timeout=2 * LONG
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.split("\n")[:-1]) == 3
    assert len(set(result.stdout.split("\n")[:-1])) == requests
    assert sandbox.requests() == requests


def renewed_at(provider: TokenProvider) -> float:
    """The monotonic time at which the token of now is replaced."""
    first = provider.token().value
    until(lambda: provider.token().value != first)
    return time.monotonic()


def test_children_of_one_parent_renew_at_moments_of_their_own() -> None:
    with Sandbox(lifetime=4) as sandbox, sandbox.provider() as provider:
        provider.token()
        # Renewed between 2 and 3 s from now.
        with contextlib.ExitStack() as stack:
            children = [
                stack.enter_context(Child(renewed=lambda: renewed_at(provider))) for _ in range(16)
            ]
            for child in children:
                child.tell("renewed")
            moments = [child.result() for child in children]
        assert max(moments) - min(moments) > 0.1


def test_a_child_remembers_which_token_was_refused() -> None:
    with Sandbox() as sandbox, sandbox.provider() as provider:
        blob = provider.seal()
        provider.invalidate(provider.token())
        with Child(unseal=lambda: outcome(lambda: provider.unseal(blob))) as child:
            assert child.ask("unseal") == "ConfigurationError"
        assert sandbox.requests() == 1


def test_children_remember_for_how_long_the_server_asked_to_wait() -> None:
    with Sandbox() as sandbox, sandbox.provider() as provider:
        sandbox.answer_next(429, headers={"Retry-After": "200"})
        assert outcome(provider.token) == "RateLimitedError"
        for _ in range(8):
            with Child(token=lambda: outcome(provider.token)) as child:
                assert child.ask("token") == "RateLimitedError"
        assert sandbox.requests() == 1


def test_a_child_does_not_tell_what_its_parent_is_to_tell(sandbox: Sandbox) -> None:
    messages: list[str] = []
    provider = sandbox.provider()

    def keep(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        if len(messages) == 1:
            provider.refresh()  # What this brings about is told by the next call.
        return False

    def told() -> int:
        provider.peek()
        return len(messages)

    def refresh() -> int:
        provider.refresh()
        return told()

    logger = logging.getLogger("clazar_auth")
    logger.setLevel(logging.INFO)
    logger.addFilter(keep)
    try:
        provider.token()
        assert len(messages) == 1
        with Child(told=told, refresh=refresh) as child:
            assert child.ask("told") == 1
            assert child.ask("refresh") == 2, "it tells what happens to it"
        assert told() == 2
    finally:
        logger.removeFilter(keep)
        logger.setLevel(logging.NOTSET)


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except clazar_auth.ClazarAuthError as error:
        return type(error).__name__
    return "done"
