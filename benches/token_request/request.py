"""What token requests cost in Python; request.c says how it is asked."""

from __future__ import annotations

import resource
import sys
import time

import clazar_auth


def so_far() -> tuple[int, int, int]:
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return time.process_time_ns(), faults, time.perf_counter_ns()


provider = clazar_auth.TokenProvider.from_env()
for line in sys.stdin:
    before = so_far()
    for _ in range(int(line)):
        provider.refresh()
    print(*(after - start for after, start in zip(so_far(), before, strict=True)), flush=True)
