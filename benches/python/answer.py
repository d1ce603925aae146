"""Answers the lines of benches/measure.py: how often and on how many threads the header is wanted."""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

Way = Callable[[], str]


def answer(ways: dict[str, Way]) -> None:
    for line in sys.stdin:
        command, *words = line.split()
        if command == "request":
            numbers = request(ways["request"], int(words[0]))
        elif command == "cached":
            numbers = cached(ways["authorization"], ways[words[0]], int(words[1]), int(words[2]))
        elif command == "stampede":
            numbers = stampede(ways["authorization"], int(words[0]))
        else:
            numbers = callers(ways["authorization"], int(words[0]), int(words[1]) / 1e3)
        print(*numbers, flush=True)


def so_far() -> tuple[int, int, int]:
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return time.process_time_ns(), faults, time.perf_counter_ns()


def request(way: Way, requests: int) -> list[int]:
    before = so_far()
    for _ in repeat(None, requests):
        way()
    return [after - start for after, start in zip(so_far(), before, strict=True)]


def side_by_side(threads: int, work: Callable[[], object]) -> int:
    """Nanoseconds from the first start to the last end of so many threads that begin together."""
    barrier = threading.Barrier(threads)

    def timed() -> tuple[int, int]:
        barrier.wait()
        start = time.perf_counter_ns()
        work()
        return start, time.perf_counter_ns()

    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(timed) for _ in range(threads)]
    starts, ends = zip(*(task.result() for task in tasks), strict=True)
    return int(max(ends) - min(starts))


def cached(authorization: Way, way: Way, calls: int, threads: int) -> list[int]:
    authorization()

    def work() -> None:
        for _ in repeat(None, calls):
            way()

    return [side_by_side(threads, work)]


def stampede(way: Way, threads: int) -> list[int]:
    return [side_by_side(threads, way)]


def callers(way: Way, threads: int, seconds: float) -> list[int]:
    """The longest wait, waits of more than a millisecond, failed calls, tokens that were dead."""
    way()
    end = time.monotonic() + seconds
    waits: list[int] = []
    failed: list[Exception] = []
    dead: list[int] = []

    def call() -> None:
        start = time.perf_counter_ns()
        try:
            header = way()
        except Exception as error:
            header = ""
            failed.append(error)
        waits.append(time.perf_counter_ns() - start)
        # At the end of a token stands when it dies, in milliseconds of Unix time.
        if header and time.time() * 1e3 > int(header[-13:]):
            dead.append(1)

    def work() -> None:
        while time.monotonic() < end:
            call()
            time.sleep(0.005)

    side_by_side(threads, work)
    return [max(waits), sum(wait > 1_000_000 for wait in waits), len(failed), len(dead)]
