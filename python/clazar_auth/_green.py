"""Waits for a token during which other greenlets go on, those of gevent and of eventlet.

Neither is imported by this: without one of them a program has no greenlets.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from clazar_auth._group import Group, groups
from clazar_auth._native import Pending

LONGEST_PAUSE = 0.05


def wait(pending: Pending) -> None:
    """Wait until it is over, if this thread has a hub and is not in it."""
    # Half imported, they have no such names; a hub that has not run yet is false.
    hub = getattr(sys.modules.get("gevent._hub_local"), "get_hub_if_exists", lambda: None)()
    if hub is not None:
        if import_module("gevent").getcurrent() is not hub:
            _gevent_wait(hub, pending)
        return
    local = getattr(sys.modules.get("eventlet.hubs"), "_threadlocal", None)
    hub = getattr(local, "hub", None)
    if hub is not None and import_module("greenlet").getcurrent() is not hub.greenlet:
        _eventlet_wait(pending)


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
