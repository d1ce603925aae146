"""Counts the instructions of the hot paths and of a token request with callgrind, and compares with benches/instructions.json.

Another compiler, another libc or another processor runs other instructions: with a toolchain that nobody has counted
with, nothing is compared. What disturbs a run makes it longer and never shorter, so a path that seems to exceed is
counted again, and the shortest of its runs count.

usage: instructions.py [--write]
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from machine import output
from processes import Peer, Server, make_files
from subjects import OURS, environment

COUNTS = Path("benches/instructions.json")
PYTHON, C, RUST = OURS
# How much more than committed is allowed; a lock that nobody else wants is 24 instructions. Runs differ by 0.1 % on a
# hot path and by 0.2 % in a token request. In Rust, where the compiler takes the crate apart at other places when
# anything in it changes, a hot path changed by 6 % once without a cause: then the counts are to be written anew.
HOT, HOT_IN_RUST, REQUEST = 1.02, 1.05, 1.03
# How often a path that exceeds is counted, and a program that fails is run.
ATTEMPTS = 3
# Of each: the program, and what it is asked with two numbers. The difference between both answers leaves out the start
# of the program and its first token.
PATHS = {
    "Python: authorization()": (PYTHON, "cached authorization {} 1", (1000, 21_000), HOT),
    "Python: headers()": (PYTHON, "cached headers {} 1", (1000, 21_000), HOT),
    "C: clazar_provider_authorization": (C, "cached authorization {} 1", (1000, 21_000), HOT),
    "Rust: token": (RUST, "cached token {} 1", (1000, 21_000), HOT_IN_RUST),
    "Rust: with_authorization": (
        RUST,
        "cached with_authorization {} 1",
        (1000, 21_000),
        HOT_IN_RUST,
    ),
    "Python: a token request": (PYTHON, "request {}", (2, 22), REQUEST),
    "C: a token request": (C, "request {}", (2, 22), REQUEST),
    "Rust: a token request": (RUST, "request {}", (2, 22), REQUEST),
}


def toolchain() -> str:
    flags = Path("/proc/cpuinfo").read_text()
    parts = [
        f"rustc {output('rustc', '--version').split()[1]}",
        output("valgrind", "--version").replace("-", " "),
        " ".join(platform.libc_ver()),
        f"Python {platform.python_version()}",
        # Of what valgrind lets a program see, libc and ring choose by this.
        f"{platform.machine()} {'with' if ' avx2 ' in flags else 'without'} AVX2",
    ]
    return ", ".join(parts)


def run(command: list[str], line: str, variables: dict[str, str]) -> int:
    """The instructions of a program that is asked one line."""
    with tempfile.NamedTemporaryFile() as counted:
        valgrind = [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            f"--callgrind-out-file={counted.name}",
        ]
        for _ in range(ATTEMPTS):
            done = subprocess.run(
                [*valgrind, *command],
                input=f"{line}\n",
                env=variables,
                capture_output=True,
                text=True,
            )
            # On a busy machine a token request can time out: all takes fifty times as long.
            if done.returncode == 0 and done.stdout:
                break
        else:
            raise SystemExit(f"{' '.join(command)}: {line}\n{done.stderr}")
        found = re.search(
            r"^(?:summary|totals): (\d+)", Path(counted.name).read_text(), re.MULTILINE
        )
        assert found is not None
        return int(found[1])


@contextmanager
def variables() -> Iterator[dict[str, str]]:
    """The environment of programs that find a server, and nothing that only a first run has to do."""
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        with closing(Server(files)) as server:
            # The order of Python's dictionaries depends on it.
            found = environment(server.url, str(files.own), "") | {"PYTHONHASHSEED": "0"}
            for subject, line, *_ in PATHS.values():
                # The same line, so that Python has compiled and written all modules of it.
                with closing(Peer(subject.command, found)) as peer:
                    peer.ask(line.format(1))
            yield found


def count(committed: dict[str, int]) -> dict[str, int]:
    """The instructions of one call of each path; of one that is not in `committed`, as if it exceeded."""
    shortest: dict[tuple[str, int], int] = {}

    def per_call(name: str) -> int:
        few, many = PATHS[name][2]
        return round((shortest[name, many] - shortest[name, few]) / (many - few))

    with variables() as found, ThreadPoolExecutor(os.cpu_count()) as pool:
        names = list(PATHS)
        for _ in range(ATTEMPTS):
            runs = {
                (name, number): pool.submit(run, subject.command, line.format(number), found)
                for name, (subject, line, numbers, _) in PATHS.items()
                if name in names
                for number in numbers
            }
            for key, done in runs.items():
                shortest[key] = min(done.result(), shortest.get(key, done.result()))
            names = [name for name in names if exceeds(name, per_call(name), committed)]
    return {name: per_call(name) for name in PATHS}


def exceeds(name: str, counted: int, committed: dict[str, int]) -> bool:
    *_, allowed = PATHS[name]
    return counted > committed.get(name, 0) * allowed


def compare(committed: dict[str, int]) -> list[str]:
    """What has become more than it may."""
    counts = count(committed)
    for name, counted in counts.items():
        ratio = counted / committed[name]
        print(f"{name:36} {counted:9,} instructions, {ratio:.3f} of what is committed")
    return [name for name, counted in counts.items() if exceeds(name, counted, committed)]


def main(write: bool) -> None:
    committed: dict[str, dict[str, int]] = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    here = toolchain()
    if write:
        COUNTS.write_text(json.dumps(committed | {here: count({})}, indent=1) + "\n")
    elif here not in committed:
        print(f"skipped: no instructions are committed for {here}; `make instructions` writes them")
    elif excess := compare(committed[here]):
        raise SystemExit(f"more instructions than before: {', '.join(excess)}")


if __name__ == "__main__":
    main(sys.argv[1:] == ["--write"])
