"""Waits on event loops: asyncio, uvloop and trio."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from unittest import mock

import pytest
import trio
import uvloop
from helpers import LONG, HeldServer, python, until

import clazar_auth
from clazar_auth import AccessToken, ClazarAuthError, TokenProvider, _group
from clazar_auth.testing import Sandbox

T = TypeVar("T")
NewLoop = Callable[[], asyncio.AbstractEventLoop]

TASKS = 1000
DELAY = 0.2


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop:
    return uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop


def run(new_loop: NewLoop, main: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, on a loop of choice, and not for ever."""
    loop = new_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(main, LONG))
    finally:
        loop.close()


async def until_async(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.001)


async def until_trio(condition: Callable[[], object]) -> None:
    while not condition():
        await trio.sleep(0.001)


def run_trio(main: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    async def bounded() -> T:
        with trio.fail_after(LONG):
            return await main(*arguments)

    return trio.run(bounded)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def check_thousand(provider: TokenProvider, values: list[str], seconds: float) -> None:
    """All have one token, for which the thread of the loop needed so much of the processor: some 10 ms."""
    assert len(values) == TASKS
    assert len(set(values)) == 1
    # One token request; on a very slow machine it makes more than one attempt.
    assert provider.stats().empty == (1, 0)
    assert seconds < 0.2


def test_a_thousand_tasks_share_one_token_request(new_loop: NewLoop) -> None:
    values: list[str] = []

    async def main() -> float:
        tasks = [asyncio.ensure_future(ask_into(provider, values)) for _ in range(TASKS)]
        # The loop goes on while all of them wait.
        await until_async(lambda: provider.stats().waited == TASKS)
        server.go_on.set()
        start = time.thread_time()
        await asyncio.gather(*tasks)
        return time.thread_time() - start

    with HeldServer() as server:
        provider = server.provider()
        check_thousand(provider, values, run(new_loop, main()))


def test_a_loop_is_called_once_for_all_of_its_tasks_and_keeps_no_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        tasks = [asyncio.ensure_future(provider.token_async()) for _ in range(10)]
        await until_async(lambda: provider.stats().waited == 10)
        server.go_on.set()
        await asyncio.gather(*tasks)

    def noted(*arguments: Any, **options: Any) -> asyncio.TimerHandle:
        timers.append(call_later(*arguments, **options))
        return timers[-1]

    with HeldServer() as server:
        provider = server.provider()
        loop, timers = asyncio.new_event_loop(), list[asyncio.TimerHandle]()
        call_soon, call_later = mock.Mock(wraps=loop.call_soon_threadsafe), loop.call_later
        monkeypatch.setattr(loop, "call_soon_threadsafe", call_soon)
        monkeypatch.setattr(loop, "call_later", noted)
        run(lambda: loop, main())
        ours = [call for call in call_soon.call_args_list if call.args[0] is _group.wake_all]
        assert len(ours) == 1
        assert len(timers) > 10
        assert all(timer.cancelled() for timer in timers)


def test_a_timer_that_comes_too_early_ends_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a loop may be coarse."""

    async def main() -> None:
        start = time.monotonic()
        with pytest.raises(clazar_auth.AuthTimeoutError, match="goes on"):
            await provider.token_async(timeout=0.2)
        assert time.monotonic() - start >= 0.2

    def early(delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        return call_later(delay / 2, *arguments, **options)

    with HeldServer() as server:
        provider = server.provider()
        loop = asyncio.new_event_loop()
        call_later = loop.call_later
        monkeypatch.setattr(loop, "call_later", early)
        run(lambda: loop, main())


def test_a_thousand_trio_tasks_share_one_token_request() -> None:
    values: list[str] = []

    async def main() -> float:
        async with trio.open_nursery() as nursery:
            for _ in range(TASKS):
                nursery.start_soon(ask_into, provider, values)
            await until_trio(lambda: provider.stats().waited == TASKS)
            server.go_on.set()
            start = time.thread_time()
        return time.thread_time() - start

    with HeldServer() as server:
        provider = server.provider()
        check_thousand(provider, values, run_trio(main))


def test_headers_and_a_token_in_memory(sandbox: Sandbox, new_loop: NewLoop) -> None:
    provider = sandbox.provider()

    async def main() -> None:
        headers = await provider.headers_async()
        token = await provider.token_async()
        assert headers == provider.headers() == {"Authorization": token.authorization}

    run(new_loop, main())
    assert sandbox.requests() == 1
    assert provider.stats().waited == 1


def test_cancelling_one_task_harms_no_other(new_loop: NewLoop) -> None:
    async def main() -> None:
        tasks = [asyncio.ensure_future(provider.token_async()) for _ in range(10)]
        await until_async(lambda: server.requests() == 1)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert not any(task.done() for task in tasks[1:])
        server.go_on.set()
        tokens = await asyncio.gather(*tasks[1:])
        assert {token.value for token in tokens} == {"held-1"}

    with HeldServer() as server:
        provider = server.provider()
        run(new_loop, main())
        assert server.requests() == 1


def test_the_token_request_survives_all_that_asked_for_it(new_loop: NewLoop) -> None:
    async def ask_and_cancel() -> None:
        tasks = [asyncio.ensure_future(provider.token_async()) for _ in range(10)]
        await until_async(lambda: server.requests() == 1)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}

    async def ask_again() -> str:
        task = asyncio.ensure_future(provider.token_async())
        await until_async(lambda: provider.stats().waited == 11)
        server.go_on.set()
        token: AccessToken = await task
        return token.value

    with HeldServer() as server:
        provider = server.provider()
        run(new_loop, ask_and_cancel())
        assert run(new_loop, ask_again()) == "held-1"
        assert server.requests() == 1


def test_a_timeout_ends_one_wait(new_loop: NewLoop) -> None:
    async def main() -> None:
        patient = asyncio.ensure_future(provider.token_async(timeout=LONG))
        for timeout in (0, 0.02):
            with pytest.raises(clazar_auth.AuthTimeoutError, match="goes on"):
                await provider.token_async(timeout=timeout)
        with pytest.raises(clazar_auth.AuthTimeoutError):
            await provider.headers_async(timeout=0.02)
        assert not patient.done()
        server.go_on.set()
        assert (await patient).value == "held-1"

    with HeldServer() as server:
        provider = server.provider()
        run(new_loop, main())
        assert server.requests() == 1


def test_loops_and_threads_share_one_token_request(new_loop: NewLoop) -> None:
    values: list[str] = []

    async def five() -> None:
        tokens = await asyncio.gather(*(provider.token_async() for _ in range(5)))
        values.extend(token.value for token in tokens)

    with HeldServer() as server:
        provider = server.provider()
        works: list[Callable[[], object]] = [
            lambda: run(new_loop, five()),
            lambda: run(new_loop, five()),
            lambda: run_trio(ask_into, provider, values),
            lambda: values.append(provider.token().value),
        ]
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        until(lambda: provider.stats().waited == 12)
        server.go_on.set()
        for thread in threads:
            thread.join()
        assert values == ["held-1"] * 12
        assert server.requests() == 1


async def ask_into(provider: TokenProvider, values: list[str]) -> None:
    values.append((await provider.token_async()).value)


async def failure(provider: TokenProvider) -> ClazarAuthError:
    with pytest.raises(ClazarAuthError) as caught:
        await provider.token_async()
    return caught.value


def check_failures(failures: list[ClazarAuthError]) -> None:
    assert len(failures) == 100
    for error in failures:
        assert type(error) is clazar_auth.RejectedError
        assert error.http_status == 400
    assert len({id(error) for error in failures}) == 100, "a traceback belongs to one task"


def test_all_tasks_get_the_error(new_loop: NewLoop) -> None:
    async def main() -> list[ClazarAuthError]:
        return await asyncio.gather(*(failure(provider) for _ in range(100)))

    with Sandbox(delay=DELAY) as sandbox:
        provider = sandbox.provider()
        sandbox.answer_next(400)
        check_failures(run(new_loop, main()))
        assert sandbox.requests() == 1


def test_all_trio_tasks_get_the_error() -> None:
    failures: list[ClazarAuthError] = []

    async def one(provider: TokenProvider) -> None:
        failures.append(await failure(provider))

    async def main(provider: TokenProvider) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(one, provider)

    with Sandbox(delay=DELAY) as sandbox:
        sandbox.answer_next(400)
        run_trio(main, sandbox.provider())
        check_failures(failures)
        assert sandbox.requests() == 1


def test_closing_ends_the_waits(new_loop: NewLoop) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(provider.token_async())
        await until_async(lambda: server.requests() == 1)
        provider.close()
        with pytest.raises(clazar_auth.ClosedError):
            await task

    with HeldServer() as server:
        provider = server.provider()
        run(new_loop, main())


def test_cancelling_one_trio_task_harms_no_other() -> None:
    values: list[str] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(9):
                nursery.start_soon(ask_into, provider, values)
            with trio.move_on_after(0.02) as scope:
                await provider.token_async()
            assert scope.cancelled_caught
            with pytest.raises(clazar_auth.AuthTimeoutError, match="goes on"):
                await provider.token_async(timeout=0.02)
            assert values == []
            server.go_on.set()

    with HeldServer() as server:
        provider = server.provider()
        run_trio(main)
        assert values == ["held-1"] * 9
        assert server.requests() == 1


def test_no_descriptor_is_left(sandbox: Sandbox, new_loop: NewLoop) -> None:
    async def main() -> None:
        for _ in range(100):
            await sandbox.provider().token_async()

    async def nothing() -> None:
        pass

    run(new_loop, nothing())
    before = descriptors()
    run(new_loop, main())
    assert descriptors() == before


def test_no_descriptor_is_left_by_trio(sandbox: Sandbox) -> None:
    async def main() -> None:
        for _ in range(100):
            await sandbox.provider().token_async()

    trio.run(trio.sleep, 0)
    before = descriptors()
    run_trio(main)
    assert descriptors() == before


@contextmanager
def without_descriptors() -> Iterator[None]:
    """None can be opened. The limit is the lowest that is free: poll(2) takes no more of them than the limit."""
    free = os.dup(0)
    os.close(free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_waiting_needs_no_descriptor(new_loop: NewLoop) -> None:
    async def main() -> None:
        with without_descriptors():
            tasks = [asyncio.ensure_future(provider.token_async()) for _ in range(10)]
            await until_async(lambda: provider.stats().waited == 12)
            server.go_on.set()
            assert {(await task).value for task in tasks} == {"held-1"}

    with HeldServer() as server:
        provider = server.provider()
        with under_way(server, provider):
            run(new_loop, main())


def test_waiting_on_trio_needs_no_descriptor() -> None:
    values: list[str] = []

    async def main() -> None:
        with without_descriptors():
            async with trio.open_nursery() as nursery:
                for _ in range(10):
                    nursery.start_soon(ask_into, provider, values)
                await until_trio(lambda: provider.stats().waited == 12)
                server.go_on.set()

    with HeldServer() as server:
        provider = server.provider()
        with under_way(server, provider):
            run_trio(main)
        assert values == ["held-1"] * 10


@contextmanager
def under_way(server: HeldServer, provider: TokenProvider) -> Iterator[None]:
    """With a token request that has the descriptors that it needs, and whatever a wait imports."""
    with suppress(clazar_auth.AuthTimeoutError):
        asyncio.run(provider.token_async(timeout=0))
    thread = threading.Thread(target=provider.token)
    thread.start()
    until(lambda: server.requests() == 1)
    yield
    thread.join()


CANCELLED = """
import asyncio, os, time
from clazar_auth.testing import Sandbox

def descriptors():
    return len(os.listdir("/proc/self/fd"))

async def give_up():
    try:
        await asyncio.wait_for(provider.token_async(), 0.001)
    except asyncio.TimeoutError:
        return True

sandbox = Sandbox(delay=3600)
provider = sandbox.provider(timeout=3600)
asyncio.run(give_up())
while sandbox.requests() == 0:
    time.sleep(0.001)
before = descriptors()
print(sum(asyncio.run(give_up()) for _ in range(30)), descriptors() - before, sandbox.requests())
"""


def test_a_wait_that_was_given_up_keeps_no_descriptor() -> None:
    result = python(CANCELLED, "-W", "error")
    assert (result.stdout, result.stderr) == ("30 0 1\n", "")


def test_a_loop_that_gave_up_is_free(new_loop: NewLoop) -> None:
    async def give_up() -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(provider.token_async(), 0.01)

    with HeldServer() as server:
        provider = server.provider()
        loops = [new_loop()]
        gone = weakref.ref(loops[0])
        run(loops.pop, give_up())
        gc.collect()
        assert gone() is None, "the token request goes on, and nobody waits"


def test_a_loop_that_was_closed_under_a_task_is_free(new_loop: NewLoop) -> None:
    async def ask() -> None:
        await provider.token_async()

    with HeldServer() as server:
        provider = server.provider()
        loops = [new_loop()]
        gone = weakref.ref(loops[0])
        task = loops[0].create_task(ask())
        while not _group.groups:
            loops[0].run_until_complete(asyncio.sleep(0))
        loops.pop().close()
        server.go_on.set()
        until(lambda: not _group.groups)
        # What asyncio says of a task that nobody ends.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        del task
        gc.collect()
        assert gone() is None


END = {
    "asyncio": "asyncio.run(main(asyncio.create_task, asyncio.sleep))",
    "uvloop": "uvloop.run(main(asyncio.create_task, asyncio.sleep))",
    "trio": "trio.run(nursed)",
}

UNDER_WAY = """
import asyncio, clazar_auth, {library}
from clazar_auth.testing import Sandbox

sandbox = Sandbox(delay=3600)
provider = sandbox.provider(timeout=3600)

async def main(start, sleep):
    if sleep is asyncio.sleep:
        asyncio.get_running_loop().slow_callback_duration = 3600  # On a busy machine all is slow.
    task = start(provider.token_async())
    while sandbox.requests() == 0:
        await sleep(0.001)
    print("under way", flush=True)

async def nursed():
    async with trio.open_nursery() as nursery:
        await main(lambda _: _.close() or nursery.start_soon(provider.token_async), trio.sleep)
        nursery.cancel_scope.cancel()

{run}
print("out of the loop", flush=True)
"""


@pytest.mark.parametrize("library", END)
def test_a_loop_ends_at_once_during_a_token_request(library: str) -> None:
    code = UNDER_WAY.format(library=library, run=END[library])
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stdout.readline()]
        start = time.monotonic()
        lines.append(process.stdout.readline())
        out_of_loop = time.monotonic() - start
        try:
            assert process.wait(timeout=LONG) == 0
        finally:
            process.kill()
        ended = time.monotonic() - start
        assert lines == ["under way\n", "out of the loop\n"]
        assert process.stderr.read() == ""
    print(f"{library}: loop left in {out_of_loop * 1000:.0f} ms, ended in {ended * 1000:.0f} ms")
    assert ended < 10


QUIET = """
import asyncio, gc
from clazar_auth import AuthTimeoutError
from clazar_auth.testing import Sandbox

async def main():
    asyncio.get_running_loop().slow_callback_duration = 3600
    with Sandbox(delay=0.1) as sandbox:
        provider = sandbox.provider()
        tasks = [asyncio.create_task(provider.token_async()) for _ in range(10)]
        try:
            await provider.token_async(timeout=0.01)
        except AuthTimeoutError:
            print("timed out")
        tasks.pop().cancel()
        await asyncio.gather(*tasks)
        provider.token_async().close()

asyncio.run(main(), debug=True)
gc.collect()
"""


def test_asyncio_has_nothing_to_complain_about() -> None:
    result = python(QUIET, "-X", "dev", "-W", "error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "timed out\n", "")
