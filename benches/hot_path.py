"""What the package costs in Python, each figure beside its floor in one run; `make bench` prints them.

usage: hot_path.py FLOOR, the folder with the module that benches/floor.c makes
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable

import clazar_auth

CALLS, ROUNDS = 100_000, 100


def best(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Nanoseconds a call, each from the quietest of many short rounds, in turns."""
    timers = {name: timeit.Timer("call()", globals={"call": call}) for name, call in calls.items()}
    rounds = [{name: timer.timeit(CALLS) for name, timer in timers.items()} for _ in range(ROUNDS)]
    return {name: min(times[name] for times in rounds) / CALLS * 1e9 for name in timers}


def hot_path() -> None:
    from floor import Floor  # type: ignore[import-not-found]

    with clazar_auth.testing.Sandbox() as sandbox, sandbox.provider() as provider:
        provider.authorization()
        calls = {
            "clocks and an object": Floor().authorization,
            "provider.authorization()": provider.authorization,
            "provider.headers()": provider.headers,
            "provider.token()": provider.token,
        }
        times = best(calls)
    floor = times["clocks and an object"]
    print(f"from Python, best of {ROUNDS} rounds of {CALLS} calls")
    for name, time in times.items():
        print(f"{name:26} {time:8.1f} ns, {time / floor:.2f} times as long")


def milliseconds(code: str) -> float:
    """How long an interpreter of its own takes, less its start."""
    timed = f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
    return float(subprocess.check_output([sys.executable, "-I", "-c", timed])) * 1e3


def imports() -> None:
    """Pairs, so that what slows the machine slows both."""
    pairs = [(milliseconds("pass"), milliseconds("import clazar_auth")) for _ in range(41)]
    more = statistics.median(loaded - bare for bare, loaded in pairs)
    print(
        f"import clazar_auth         {more:8.2f} ms more than nothing, median of {len(pairs)} pairs"
    )


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    hot_path()
    imports()
