"""Waits for a token that block no event loop, on asyncio (and loops like it) and on trio.

A token request runs on a thread of the library. When it ends, that thread makes one thread-safe call
to each loop on which tasks wait, which wakes them all: no executor, and no descriptor.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial

from clazar_auth._group import Group, groups, wake_all
from clazar_auth._native import AccessToken, Pending, TokenProvider


async def token(provider: TokenProvider, timeout: float | None, anew: bool = False) -> AccessToken:
    answer = provider._ask(timeout, anew)
    while isinstance(answer, Pending):
        await _wait(answer)
        answer = answer.result() or answer
    return answer


def run(answer: Awaitable[str]) -> str:
    """What an asynchronous function for the client secret gives, on an event loop of its own."""

    async def wait() -> str:
        return await answer

    return asyncio.run(wait())


async def _wait(pending: Pending) -> None:
    # Older than 0.23 or half imported, it has no such function.
    trio = getattr(sys.modules.get("trio"), "lowlevel", None)
    if getattr(trio, "in_trio_task", bool)():
        await _trio_wait(pending)
    else:
        await _asyncio_wait(pending)


async def _asyncio_wait(pending: Pending) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    wake = partial(_resolve, future)
    timer = loop.call_later(pending.remaining(), wake)
    group = groups.get(loop) or Group(loop, loop.call_soon_threadsafe)
    group.add(pending, wake)
    try:
        await future
    finally:
        timer.cancel()
        group.remove(wake)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _trio_wait(pending: Pending) -> None:
    import trio

    event = trio.Event()
    run = trio.lowlevel.current_trio_token()
    group = groups.get(run) or _TrioGroup(run, run.run_sync_soon)
    group.add(pending, event.set)
    try:
        await event.wait()
    finally:
        group.remove(event.set)


class _TrioGroup(Group):
    """One cancel scope for all deadlines: one for each task would take longer than all the rest."""

    def add(self, pending: Pending, wake: Callable[[], object]) -> None:
        import trio

        if not self.waiting:
            self._scope = trio.CancelScope()
            trio.lowlevel.spawn_system_task(self._watch)
        super().add(pending, wake)
        deadline = trio.current_time() + pending.remaining()
        if deadline < self._scope.deadline:
            self._scope.deadline = deadline

    def remove(self, wake: Callable[[], object]) -> None:
        super().remove(wake)
        if not self.waiting:
            self._scope.cancel()

    async def _watch(self) -> None:
        import trio

        while self.waiting:
            with self._scope:
                await trio.sleep_forever()
            wake_all(self.waiting)
            remaining = min((wait.remaining() for wait in self.waiting.values()), default=0)
            self._scope = trio.CancelScope(deadline=trio.current_time() + remaining)
