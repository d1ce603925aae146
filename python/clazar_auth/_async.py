"""Waits for a token that block no event loop, on asyncio (and loops like it) and on trio.

A token request runs on a thread of the library. When it ends, that thread writes one byte to a
descriptor which the loop watches: no executor, and no call into Python from that thread.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from clazar_auth._native import AccessToken, Pending, TokenProvider, Waker

if TYPE_CHECKING:
    import trio


async def token(provider: TokenProvider, timeout: float | None, anew: bool = False) -> AccessToken:
    answer = provider._ask(timeout, anew)
    while isinstance(answer, Pending):
        await _wait(answer)
        answer = answer.result() or answer
    return answer


async def _wait(pending: Pending) -> None:
    # Older than 0.23 or half imported, it has no such function.
    trio = getattr(sys.modules.get("trio"), "lowlevel", None)
    if getattr(trio, "in_trio_task", bool)():
        await _trio_wait(pending)
        return
    loop = asyncio.get_running_loop()
    group = _groups.get(loop)
    if group is None:
        group = _groups[loop] = _Group()
    await group.wait(loop, pending)


class _Group:
    """The tasks of one asyncio loop that wait, and the descriptor that wakes them."""

    def __init__(self) -> None:
        self._waker = Waker()
        self._waiting: dict[asyncio.Future[None], Pending] = {}

    async def wait(self, loop: asyncio.AbstractEventLoop, pending: Pending) -> None:
        if not self._waiting:
            loop.add_reader(self._waker.fileno(), self._wake)
        future = loop.create_future()
        self._waiting[future] = pending
        remaining = pending.remaining()
        timer = None if remaining is None else loop.call_later(remaining, _resolve, future)
        pending.wake(self._waker)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()
            del self._waiting[future]
            if not self._waiting:
                loop.remove_reader(self._waker.fileno())

    def _wake(self) -> None:
        self._waker.drain()
        for future, pending in self._waiting.items():
            if pending.done():
                _resolve(future)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_groups: WeakKeyDictionary[asyncio.AbstractEventLoop, _Group] = WeakKeyDictionary()


async def _trio_wait(pending: Pending) -> None:
    import trio

    group = _TrioGroup.of_this_run()
    remaining = pending.remaining()
    with trio.move_on_after(float("inf") if remaining is None else remaining):
        await group.wait(pending)


class _TrioGroup:
    """The tasks of one trio run that wait, and the descriptor that wakes them."""

    def __init__(self) -> None:
        self._waker = Waker()
        self._waiting: dict[trio.Event, Pending] = {}

    @staticmethod
    def of_this_run() -> _TrioGroup:
        import trio

        global _trio_group
        if _trio_group is None:
            _trio_group = trio.lowlevel.RunVar("clazar_auth")
        try:
            return _trio_group.get()
        except LookupError:
            group = _TrioGroup()
            _trio_group.set(group)
            trio.lowlevel.spawn_system_task(group._watch)
            return group

    async def wait(self, pending: Pending) -> None:
        import trio

        event = trio.Event()
        self._waiting[event] = pending
        pending.wake(self._waker)
        try:
            await event.wait()
        finally:
            del self._waiting[event]

    async def _watch(self) -> None:
        import trio

        while True:
            await trio.lowlevel.wait_readable(self._waker.fileno())
            self._waker.drain()
            for event, pending in self._waiting.items():
                if pending.done():
                    event.set()


_trio_group: trio.lowlevel.RunVar[_TrioGroup] | None = None
