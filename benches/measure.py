"""Measures the project and its peers side by side, in turns, and writes medians and ranges as JSON.

usage: measure.py [--quick] RESULTS
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import machine
from processes import Files, Peer, Server, make_files, redis, write_service_account
from subjects import BARE, COPY, HANDSHAKE, OBJECT, OURS, PEER, PEERS, Subject, environment

Figures = dict[str, float]  # by measure
# Callers in the measures of waits, each of which pauses 5 ms between calls.
CALLERS = 4


class Bench:
    """What all measures need, and what they found: for each measure and each subject, a figure for each round."""

    def __init__(self, server: Server, variables: dict[str, str], folder: Path) -> None:
        self.server, self.variables, self.folder = server, variables, folder
        self.found: dict[str, dict[str, list[float]]] = {}

    def in_turns(self, rounds: int, subjects: Mapping[str, Callable[[], Figures]]) -> None:
        """So that what slows the machine slows all; each round begins with another subject."""
        names = list(subjects)
        for at in range(rounds):
            first = at % len(names)
            for name in names[first:] + names[:first]:
                for measure, figure in subjects[name]().items():
                    self.found.setdefault(measure, {}).setdefault(name, []).append(figure)

    def start(self, subject: Subject, **variables: str) -> Peer:
        return Peer(subject.command, self.variables | variables)

    def summary(self) -> dict[str, dict[str, Figures]]:
        return {
            measure: {
                name: {
                    "median": round(statistics.median(figures), 4),
                    "low": round(min(figures), 4),
                    "high": round(max(figures), 4),
                    "rounds": len(figures),
                }
                for name, figures in subjects.items()
            }
            for measure, subjects in self.found.items()
        }


def imports(bench: Bench, rounds: int) -> None:
    """Time and memory of the import alone, on top of an interpreter without."""

    def run(module: str, command: str) -> float:
        line = subprocess.check_output([sys.executable, PEER, module, command], env=bench.variables)
        return float(line)

    def figures(subject: Subject) -> Figures:
        module = subject.command[-1]
        return {
            "import": (run(module, "import") - run("nothing", "import")) * 1e3,
            "memory": (run(module, "memory") - run("nothing", "memory")) / 1024,
        }

    subjects = [subject for subject in OURS + PEERS if subject.language == "Python"]
    bench.in_turns(rounds, {s.name: partial(figures, s) for s in subjects})
    sizes = {s.name: partial(machine.installed, s.packages) for s in subjects if s.packages}
    bench.in_turns(1, sizes)


def milliseconds_to_ready(command: list[str], variables: dict[str, str]) -> float:
    """From the start of a process until it says that it is ready."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - start
    if line != "ready\n" or process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed; see above")
    return took * 1e3


def starts(bench: Bench, rounds: int) -> None:
    """From the start of a process until it has the header, which the API gives it."""

    def figures(command: list[str]) -> Figures:
        return {"start": milliseconds_to_ready(command, bench.variables)}

    commands = {s.name: [*s.command, "header"] for s in [*OURS, *PEERS, HANDSHAKE]}
    commands |= {f"{BARE}{s.language}": [*s.command, "nothing"] for s in OURS}
    bench.in_turns(rounds, {n: partial(figures, c) for n, c in commands.items()})


def stores(bench: Bench, rounds: int, files: Files) -> None:
    """The same with a token in a store, for which nobody else has anything; besides, with one authority alone."""
    with ExitStack() as stack:
        named = {"cert": files.chain, "key": files.key, "ca-cert": files.own}
        options = [part for name, file in named.items() for part in (f"--tls-{name}-file", file)]
        plain = stack.enter_context(redis())
        tls = stack.enter_context(redis(*map(str, options), "--tls-auth-clients", "no"))
        over_tls = {"CLAZAR_STORE": f"rediss://127.0.0.1:{tls}"}
        one = {"SSL_CERT_FILE": str(files.own)}
        ways = {
            "a file": {"CLAZAR_STORE": str(bench.folder / "store")},
            "Redis": {"CLAZAR_STORE": f"redis://127.0.0.1:{plain}"},
            "Redis over TLS": over_tls,
            "Redis over TLS, one authority": over_tls | one,
            "a token request": {},
            "a token request, one authority": one,
        }

        def all_ways(subject: Subject) -> Figures:
            empty = milliseconds_to_ready([*subject.command, "nothing"], bench.variables)
            command = [*subject.command, "header"]
            return {"store nothing": empty} | {
                f"store {way}": milliseconds_to_ready(command, bench.variables | more)
                for way, more in ways.items()
            }

        subjects = [subject for subject in OURS if subject.language != "Rust"]
        # Puts a token into each store.
        for subject in subjects:
            all_ways(subject)
        bench.server.requests()
        bench.in_turns(rounds, {s.name: partial(all_ways, s) for s in subjects})
        wanted = 2 * rounds * len(subjects)
        assert bench.server.requests() == wanted, "the stores had a token each time"


def requests(bench: Bench, rounds: int) -> None:
    """One token request: what it costs the process, and how long it takes."""
    number = 10
    with ExitStack() as stack:

        def figures(peer: Peer) -> Figures:
            processor, faults, clock = (cost / number for cost in peer.ask(f"request {number}"))
            return {
                "request cpu": processor / 1e3,
                "request faults": faults,
                "request": clock / 1e3,
            }

        peers = {
            s.name: stack.enter_context(closing(bench.start(s))) for s in [*OURS, *PEERS, HANDSHAKE]
        }
        for peer in peers.values():
            figures(peer)
        bench.in_turns(rounds, {name: partial(figures, p) for name, p in peers.items()})


def cached(bench: Bench, rounds: int) -> None:
    """The header from memory, on one thread and on two; rounds of some 20 ms."""
    with ExitStack() as stack:

        def timed(subject: Subject) -> dict[str, Callable[[], Figures]]:
            peer = stack.enter_context(closing(bench.start(subject)))
            return {name: figures(peer, way) for way, name in subject.ways.items()}

        def figures(peer: Peer, way: str) -> Callable[[], Figures]:
            for calls in (100, 1000):
                each = peer.ask(f"cached {way} {calls} 1")[0] / calls
            calls = max(100, int(20e6 / each))

            def measure() -> Figures:
                one, two = (peer.ask(f"cached {way} {calls} {n}")[0] / calls for n in (1, 2))
                return {"cached": one, "cached 2 threads": two, "cached scaling": 2 * one / two}

            return measure

        subjects: dict[str, Callable[[], Figures]] = {}
        for subject in [*OURS, *PEERS, OBJECT, COPY]:
            if subject.ways:
                subjects |= timed(subject)
        bench.in_turns(rounds, subjects)


def stampede(bench: Bench, rounds: int) -> None:
    """64 threads of a process that has no token; the API takes 200 ms."""

    def figures(subject: Subject) -> Figures:
        with bench.server.behaving(delay=200), closing(bench.start(subject)) as peer:
            took = peer.ask("stampede 64")[0] / 1e6
            return {"stampede": took, "stampede requests": bench.server.requests()}

    bench.in_turns(rounds, {s.name: partial(figures, s) for s in OURS + PEERS})


def processes(bench: Bench, rounds: int) -> None:
    """8 processes that start at once without a token, ours with a file to share it; the API takes 200 ms."""

    def figures(subject: Subject) -> Figures:
        with tempfile.TemporaryDirectory(dir=bench.folder) as store:
            variables = bench.variables | ({"CLAZAR_STORE": store} if subject.ours else {})
            with bench.server.behaving(delay=200):
                start = time.perf_counter()
                running = [
                    subprocess.Popen(
                        [*subject.command, "header"], env=variables, stdout=subprocess.PIPE
                    )
                    for _ in range(8)
                ]
                answers = [process.communicate()[0] for process in running]
                took = (time.perf_counter() - start) * 1e3
                assert answers == [b"ready\n"] * 8, f"a process of {subject.name} failed"
                return {"processes": took, "processes requests": bench.server.requests()}

    bench.in_turns(rounds, {s.name: partial(figures, s) for s in OURS + PEERS})


def waits(
    bench: Bench,
    measure: str,
    rounds: int,
    subjects: list[Subject],
    seconds: float,
    due: int | None,
) -> None:
    """What callers meet while a token is renewed: each token lives 3 seconds, or as long as makes it due for renewal
    after `due` seconds. The API takes 100 ms."""

    def figures(subject: Subject) -> Figures:
        lifetime = 3 if due is None else subject.lifetime(due)
        with (
            bench.server.behaving(delay=100, lifetime=lifetime),
            closing(bench.start(subject)) as peer,
        ):
            # The first token, whose life begins here.
            peer.ask("stampede 1")
            peer.tell(f"callers {CALLERS} {seconds * 1e3:.0f}")
            if measure == "outage":
                time.sleep(5.5)
                bench.server.tell("outage 1")
                time.sleep(4.5)
                bench.server.tell("outage 0")
            longest, slow, failed, dead = map(int, peer.line().split())
        return {
            f"{measure} wait": longest / 1e6,
            f"{measure} waits": slow,
            f"{measure} failed": failed,
            f"{measure} dead": dead,
            f"{measure} requests": bench.server.requests(),
        }

    keeping = {s.name: partial(figures, s) for s in subjects if s.keeps_tokens}
    bench.in_turns(rounds, keeping)


def measure_all(bench: Bench, files: Files, quick: bool) -> None:
    def step(name: str, measure: Callable[[], None]) -> None:
        start = time.perf_counter()
        measure()
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)

    step("import", lambda: imports(bench, 2 if quick else 21))
    step("start", lambda: starts(bench, 2 if quick else 21))
    step("stores", lambda: stores(bench, 5 if quick else 51, files))
    step("token request", lambda: requests(bench, 2 if quick else 21))
    step("header from memory", lambda: cached(bench, 3 if quick else 31))
    step("64 threads", lambda: stampede(bench, 1 if quick else 5))
    step("8 processes", lambda: processes(bench, 1 if quick else 5))
    subjects = OURS if quick else OURS + PEERS
    step("expiry", lambda: waits(bench, "expiry", 1 if quick else 3, subjects, 7, None))
    if not quick:
        step("renewal", lambda: waits(bench, "renewal", 3, subjects, 4, 2))
        step("outage", lambda: waits(bench, "outage", 3, subjects, 11, 6))


def main(results: Path, quick: bool) -> None:
    before = machine.describe()
    if not quick and str(before["commit"]).endswith("-dirty"):
        sys.exit("commit what is changed first; the page names the commit that is measured")
    busy = machine.busy()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = make_files(folder)
        server = stack.enter_context(closing(Server(files)))
        write_service_account(files.service_account, server.url)
        variables = environment(server.url, str(files.bundle), str(files.service_account))
        bench = Bench(server, variables, folder)
        measure_all(bench, files, quick)
        authorities = files.authorities()
    described = before | {
        "authorities": authorities,
        "busy": round(max(busy, machine.busy()), 2),
        "quick": quick,
    }
    results.write_text(
        json.dumps({"machine": described, "measures": bench.summary()}, indent=1) + "\n"
    )


if __name__ == "__main__":
    *options, path = sys.argv[1:]
    main(Path(path), options == ["--quick"])
