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
        self._waker = Waker(partial(call_soon, wake_all, self.waiting))
        groups[loop] = self

    def add(self, pending: Pending, wake: Callable[[], object]) -> None:
        self.waiting[wake] = pending
        pending.wake(self._waker)

    def remove(self, wake: Callable[[], object]) -> None:
        del self.waiting[wake]
        if not self.waiting:
            del groups[self._loop]


groups: dict[object, Any] = {}


def wake_all(waiting: dict[Callable[[], object], Pending]) -> None:
    """Wake those whose wait is over; `wake` of each only schedules it."""
    for wake, pending in waiting.items():
        if pending.done():
            wake()
