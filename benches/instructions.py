"""Counts the instructions of the hot paths and of a token request with callgrind, and compares with benches/instructions.json.

Another compiler, another libc or another processor runs other instructions: with a toolchain that nobody has counted
with, nothing is compared.

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
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from machine import output
from processes import Server, make_files
from subjects import OURS, environment

COUNTS = Path("benches/instructions.json")
PYTHON, C, RUST = OURS
# How much more than committed is allowed; a lock that nobody else wants is 24 instructions. Runs differ by 0.1 % on a
# hot path and by 0.2 % in a token request. In Rust, where the compiler takes the crate apart at other places when
# anything in it changes, a hot path changed by 6 % once without a cause: then the counts are to be written anew.
HOT, HOT_IN_RUST, REQUEST = 1.02, 1.05, 1.03
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
        done = subprocess.run(
            [*valgrind, *command], input=f"{line}\n", env=variables, capture_output=True, text=True
        )
        if done.returncode != 0 or not done.stdout:
            raise SystemExit(f"{' '.join(command)}: {line}\n{done.stderr}")
        found = re.search(
            r"^(?:summary|totals): (\d+)", Path(counted.name).read_text(), re.MULTILINE
        )
        assert found is not None
        return int(found[1])


def count() -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        with closing(Server(files)) as server:
            # The order of Python's dictionaries depends on it.
            variables = environment(server.url, str(files.own), "") | {"PYTHONHASHSEED": "0"}
            for subject in OURS:
                # Writes what Python compiles, so that only the first run of all had to.
                subprocess.run(
                    [*subject.command, "header"],
                    env=variables,
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                runs = {
                    name: [pool.submit(run, s.command, line.format(n), variables) for n in numbers]
                    for name, (s, line, numbers, _) in PATHS.items()
                }
            counts = {}
            for name, (few, many) in runs.items():
                first, last = PATHS[name][2]
                counts[name] = round((many.result() - few.result()) / (last - first))
            return counts


def compare(committed: dict[str, int]) -> list[str]:
    """What has become more than it may."""
    excess = []
    for name, counted in count().items():
        *_, allowed = PATHS[name]
        print(
            f"{name:36} {counted:9,} instructions, {counted / committed[name]:.3f} of what is committed"
        )
        if counted > committed[name] * allowed:
            excess.append(name)
    return excess


def main(write: bool) -> None:
    committed: dict[str, dict[str, int]] = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    here = toolchain()
    if write:
        COUNTS.write_text(json.dumps(committed | {here: count()}, indent=1) + "\n")
    elif here not in committed:
        print(f"skipped: no instructions are committed for {here}; `make instructions` writes them")
    elif excess := compare(committed[here]):
        raise SystemExit(f"more instructions than before: {', '.join(excess)}")


if __name__ == "__main__":
    main(sys.argv[1:] == ["--write"])
