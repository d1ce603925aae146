"""Changes one thing at a time in what is written in Python, and sees whether a test fails: `make mutants-python`.

Each change that no test minds is to be in mutants.txt, below the reason. Of the tools for this, mutmut leaves alone
what is outside of functions or has a decorator; and neither it nor cosmic-ray takes away a call or a branch, of which
adapters consist.

usage: mutants.py [FILE ...]
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shutil
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from mutations import PACKAGE, Mutant, mutants

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target/mutants-python"
EXPLAINED = Path(__file__).with_suffix(".txt")
MUTATED = ["integrations/*.py", "_async.py", "_group.py", "_methods.py"]
TESTS = [
    "adapters",
    "aiohttp",
    "anyio",
    "async",
    "conventions",
    "endless_body",
    "greenlets",
    "http2",
    "httpx",
]
TESTS += ["metrics", "proxies", "requests", "secret_functions", "timeouts", "waiting"]
# For a test to start sooner. Nothing of ours is imported before it is changed.
LIBRARIES = ["aiohttp", "anyio", "h2.connection", "httpx", "httpx2", "opentelemetry.sdk.metrics"]
LIBRARIES += [
    "opentelemetry.sdk.trace",
    "prometheus_client",
    "requests",
    "trio",
    "trustme",
    "uvloop",
]
WRONG_USE = {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}
PATIENCE = 20
"""Seconds that a test may take, besides ten times those that it takes without a change."""


class Recorder:
    """Notes which lines each test runs, and how long it takes."""

    def __init__(self) -> None:
        self.lines: dict[str, set[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()

    def trace(self, frame: FrameType, *_: object) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(f"{PACKAGE}/"):
            return None
        self.now.add((path.removeprefix(f"{PACKAGE}/"), frame.f_lineno))
        return self.trace

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.now = self.lines[nodeid] = set()
        threading.settrace(self.trace)
        sys.settrace(self.trace)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        tests = {test: [self.seconds[test], sorted(lines)] for test, lines in self.lines.items()}
        (FOLDER / "tests.json").write_text(json.dumps([tests, sorted(self.failed)]))


class Limits:
    """Ends a test, and all others with it, that waits for what does not come."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        signal.alarm(PATIENCE + int(10 * self.seconds[nodeid]))


def run(plugin: object, *arguments: str) -> int:
    """What pytest ends with, in a process of its own, whose output nobody wants."""
    # By itself, pytest would clear away what another of these is at.
    options = ["--basetemp", str(FOLDER / f"{os.getpid()}.tmp"), "--disable-plugin-autoload"]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            status = pytest.main(["-p", "no:cacheprovider", *options, *arguments], [plugin])
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # What it started.
    return os.waitstatus_to_exitcode(status)


def attempt(tests: dict[str, Any], mutant: Mutant) -> tuple[Mutant, int]:
    def reached_by(lines: set[int]) -> list[str]:
        reached = {(mutant.file, line) for line in lines}
        return [test for test, (_, seen) in tests.items() if not reached.isdisjoint(seen)]

    # What runs at import, or on a thread of the library, no test was seen to reach.
    chosen = reached_by(mutant.lines) or reached_by(set(range(1000))) or list(tests)
    seconds = {test: took for test, (took, _) in tests.items()}
    # Last those that start a program, of which nothing was seen.
    programs = [test for test, (_, seen) in tests.items() if not seen]
    order = [test for part in (chosen, programs) for test in sorted(part, key=seconds.__getitem__)]
    folder = FOLDER / str(os.getpid())
    if not folder.exists():
        shutil.copytree(PACKAGE, folder / PACKAGE.name, copy_function=os.symlink)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    file = folder / PACKAGE.name / mutant.file
    file.unlink()
    file.write_text(mutant.source)
    status = run(Limits(seconds), "-x", *order)
    file.unlink()
    file.symlink_to(PACKAGE / mutant.file)
    return mutant, status


def without_a_change() -> dict[str, Any]:
    """How long each test takes, and the lines that it runs."""
    sys.dont_write_bytecode = False  # The tests are compiled once.
    run(Recorder(), *(f"tests/python/test_{name}.py" for name in TESTS))
    tests, failed = json.loads((FOLDER / "tests.json").read_text())
    for test in failed:
        print(f"fails without a change, so that it is not used: {test}", flush=True)
        del tests[test]
    # As they are run with a change.
    if not tests or run(Limits({test: took for test, (took, _) in tests.items()}), *tests) != 0:
        sys.exit("the tests fail by themselves")
    return {test: (took, set(map(tuple, lines))) for test, (took, lines) in tests.items()}


def survivors(tests: dict[str, Any], every: list[Mutant]) -> Iterator[str]:
    # What was written a moment ago would be taken for what it was before.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    gc.freeze()
    late = 0
    with get_context("fork").Pool() as pool:
        results = pool.imap_unordered(partial(attempt, tests), every)
        for count, (mutant, status) in enumerate(results, start=1):
            late += status == -signal.SIGALRM
            if status in WRONG_USE:
                sys.exit(f"pytest ends with {status}: {mutant.name}")
            if status == 0:
                print(f"{count} of {len(every)}: {mutant.name}", flush=True)
                yield mutant.name
    print(f"{late} mutants made a test wait in vain")


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    os.chdir(ROOT)
    for name in LIBRARIES:
        importlib.import_module(name)
    paths = [path for pattern in MUTATED for path in sorted(PACKAGE.glob(pattern))]
    files = sys.argv[1:] or [str(path.relative_to(PACKAGE)) for path in paths]
    every = [mutant for file in files for mutant in mutants(file)]
    found = list(survivors(without_a_change(), every))
    lines = {line for line in EXPLAINED.read_text().splitlines() if line[:1] not in ("", "#")}
    explained = {line for line in lines if line.split()[0] in files}
    for name in sorted(set(found) - explained):
        print(f"no test fails with {name}")
    for name in sorted(explained.difference(found)):
        print(f"a test fails with, or there is no more, {name}")
    print(f"{len(every)} mutants, {len(found)} survive")
    return explained != set(found)


if __name__ == "__main__":
    sys.exit(main())
