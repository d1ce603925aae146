"""Wakes those that wait on one event loop, or in one hub of greenlets, with one call to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from clazar_auth._native import Pending, Waker


class Group:
    """Those that wait on one loop. It ends with the last of them."""

    def __init__(self, loop: object, call_soon: Callable[..., Any]) -> None:
        self._loop = loop
        self.waiting: dict[Callable[[], object], Pending] = {}
        # Not a method: nothing would end a circle through the waker.
        self._waker = Waker(partial(_call, loop, call_soon, self.waiting))
        groups[loop] = self

    def add(self, pending: Pending, wake: Callable[[], object]) -> None:
        self.waiting[wake] = pending
        pending.wake(self._waker)

    def remove(self, wake: Callable[[], object]) -> None:
        self.waiting.pop(wake, None)
        if not self.waiting:
            groups.pop(self._loop, None)


groups: dict[object, Any] = {}


def _call(loop: object, call_soon: Callable[..., Any], waiting: dict[Any, Pending]) -> None:
    """What a thread of the library does when the token request has ended."""
    try:
        call_soon(wake_all, waiting)
    except RuntimeError:  # The loop was closed while they waited, so they never come to remove().
        waiting.clear()
        groups.pop(loop, None)


def wake_all(waiting: dict[Callable[[], object], Pending]) -> None:
    """Wake those whose wait is over; `wake` of each only schedules it."""
    for wake, pending in waiting.items():
        if pending.done():
            wake()
