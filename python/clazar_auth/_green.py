"""Waits for a token during which other greenlets go on, those of gevent and of eventlet.

Neither is imported by this: without one of them a program has no greenlets.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

from clazar_auth._group import Group, groups
from clazar_auth._native import Pending

LONGEST_PAUSE = 0.05


def wait(pending: Pending) -> None:
    """Wait until it is over, if this thread has a hub and is not in it."""
    hub = _gevent_hub()
    if hub is not None:
        _gevent_wait(hub, pending)
    elif _has_eventlet_hub():
        _eventlet_wait(pending)


def sleep(seconds: float) -> None:
    """As time.sleep(), in a thread without greenlets too."""
    if _gevent_hub() is not None:
        import_module("gevent").sleep(seconds)
    elif _has_eventlet_hub():
        import_module("eventlet").sleep(seconds)
    else:
        time.sleep(seconds)


def _gevent_hub() -> Any:
    """That of this thread, unless it is the hub that runs now."""
    # Half imported, gevent has no such name; a hub that has not run yet is false.
    hub = getattr(sys.modules.get("gevent._hub_local"), "get_hub_if_exists", lambda: None)()
    return None if hub is None or import_module("gevent").getcurrent() is hub else hub


def _has_eventlet_hub() -> bool:
    local = getattr(sys.modules.get("eventlet.hubs"), "_threadlocal", None)
    hub = getattr(local, "hub", None)
    return hub is not None and import_module("greenlet").getcurrent() is not hub.greenlet


def _gevent_wait(hub: Any, pending: Pending) -> None:
    event = import_module("gevent.event").Event()
    group = groups.get(hub) or Group(hub, hub.loop.run_callback_threadsafe)
    group.add(pending, event.set)
    try:
        while not pending.done():
            event.wait(pending.remaining())
    finally:
        group.remove(event.set)


def _eventlet_wait(pending: Pending) -> None:
    """No other thread can wake an eventlet hub, so this looks again and again."""
    sleep, pause = import_module("eventlet").sleep, 0.001
    while not pending.done():
        sleep(min(pause, pending.remaining()))
        pause = min(2 * pause, LONGEST_PAUSE)
