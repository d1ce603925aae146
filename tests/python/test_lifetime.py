"""Many callers over the lifetimes of many tokens."""

from __future__ import annotations

import os
import time

from helpers import at_once, until

from clazar_auth.testing import Sandbox

SECONDS = float(os.environ.get("CLAZAR_TEST_SECONDS", "30"))
THREADS = 8


def test_nobody_waits_for_a_renewal() -> None:
    # Renewed 6 to 9 s after it came, more than 2 s before anybody would wait: time enough anywhere.
    with Sandbox(lifetime=12, delay=0.1) as sandbox:
        provider = sandbox.provider()

        def work() -> tuple[int, float]:
            calls, longest = 0, 0.0
            before = start = time.monotonic()
            while before < start + SECONDS:
                assert provider.authorization().startswith("Bearer ey")
                after = time.monotonic()
                if calls:
                    longest = max(longest, after - before)
                before, calls = after, calls + 1
            return calls, longest

        def token_requests() -> int:
            stats = provider.stats()
            return stats.empty.succeeded + stats.proactive.succeeded

        results = at_once(THREADS, work)
        # One may be under way.
        until(lambda: token_requests() == sandbox.requests())
        stats = provider.stats()
    calls = sum(calls for calls, _ in results)
    longest = max(longest for _, longest in results)
    print(
        f"{calls} calls, {token_requests()} token requests, waited {stats.waited}, "
        f"served stale {stats.served_stale}, longest call but the first {longest * 1000:.0f} ms"
    )
    assert stats.waited <= THREADS
    assert stats.empty.failed == stats.proactive.failed == 0
    assert stats.refresh.succeeded == stats.invalidated.succeeded == 0
    assert SECONDS / 12 <= token_requests() <= SECONDS / 6 + 1
