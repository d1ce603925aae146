"""Runs services in C and Python for minutes, while all that they depend on fails now and then.

Each store, a folder and a Redis, has an API of its own and two services, worker.c and worker.py, which share their
tokens of six seconds through it. Faults come every second or so, by a seed: see `Group`. At the end:

- no call failed while a token lived, and no child hung;
- threads and descriptors are as many as at the start, and no memory was lost;
- the API got no more requests than the rules allow, while there were faults;
- each service has a token again, and without faults both get along with one request for each token.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clazar_auth.testing import Sandbox

START = time.monotonic()
LIFETIME = 6
"""Seconds: a token is renewed after the half of them at the earliest, so that is the rate without faults."""
ATTEMPTS = 3
SETTLED = 400
"""Seconds; the longest back-off is 300."""
CALM = 30
"""Seconds for which requests are counted without faults. Two services that share nothing renew after three quarters of
a token's life at the latest, and so make 12 or more in them; two that share, 11 or fewer."""
MEMORY = 6_000
"""Kilobytes by which a service may grow after its start."""


class Clocks:
    """The clocks of all services; see clock.h."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(24))
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 24)
        self._wall = self._uptime = self._times = 0

    def move(self, wall: int, suspended: int) -> None:
        self._wall += wall + suspended
        self._uptime += suspended
        self._times += 1
        # The count first and last: a service that sees one of them change trusts neither.
        self._map[16:] = struct.pack("=q", self._times)
        self._map[:16] = struct.pack("=2q", self._wall, self._uptime)
        self._times += 1
        self._map[16:] = struct.pack("=q", self._times)


class Redis:
    """A server without persistence, which may be killed, stopped and started again on its port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.start()

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        self._server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)

    def send(self, number: signal.Signals) -> None:
        self._server.send_signal(number)

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()


@dataclass
class Report:
    calls: int
    failed: int
    children: int
    threads: int
    descriptors: int
    kilobytes: int


class Service:
    """A process, its reports, and what it complained of."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        self.name = name
        self.reports: list[Report] = []
        self.complaints: list[str] = []
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        works = (self._read_reports, self._read_complaints)
        self._readers = [threading.Thread(target=work, daemon=True) for work in works]
        for reader in self._readers:
            reader.start()

    def _read_reports(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.reports.append(Report(**json.loads(line)))

    def _read_complaints(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.complaints.append(line.rstrip())

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def calm(self) -> None:
        """From now on it neither forks nor takes a token out of use."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            print("calm", file=self._process.stdin, flush=True)

    def end(self) -> None:
        """The service ends by itself when its input does."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            status = self._process.wait(120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status:
            self.complaints.append(f"ended with status {status}")
        for reader in self._readers:
            reader.join()

    def growth(self) -> list[str]:
        """What became more between the first reports and the last ones."""
        third = len(self.reports) // 3
        if not third:
            return [f"{len(self.reports)} reports are too few to see what grows"]
        first, last = self.reports[:third], self.reports[-third:]
        found = []
        for name, spare in (("threads", 0), ("descriptors", 0), ("kilobytes", MEMORY)):
            before = min(getattr(report, name) for report in first)
            after = min(getattr(report, name) for report in last)
            if after > before + spare:
                found.append(f"{name}: {before} at first, {after} at last")
        return found


class Group:
    """The services that share a store, their API, and what may happen to them."""

    def __init__(self, name: str, folder: Path, seed: random.Random, clocks: Clocks) -> None:
        self.name = name
        self.clocks = clocks
        self.random = seed
        self.sandbox = Sandbox(lifetime=LIFETIME)
        self.secret = folder / f"{name}-secret"
        self.faults = self.refusals = 0
        self.new_secret = self.sandbox.client_secret
        self._tell_secret()
        self.services: list[Service] = []

    def start(self, commands: Mapping[str, Sequence[str]], store: str, preload: Path) -> None:
        environment = {
            **os.environ,
            "CLAZAR_CLIENT_ID": self.sandbox.client_id,
            "CLAZAR_CLIENT_SECRET_FILE": str(self.secret),
            "CLAZAR_AUTH_URL": self.sandbox.auth_url,
            "CLAZAR_STORE": store,
            "LD_PRELOAD": str(preload),
            "SOAK_CLOCK": str(self.clocks.path),
        }
        for language, command in commands.items():
            self.services.append(Service(f"{language}, {self.name}", command, environment))

    def faults_of_all(self) -> list[Callable[[], None]]:
        return [self._refuse, self._hang, self._rotate, self._set_clock, self._suspend]

    def cause_fault(self) -> None:
        self._tell_secret()
        self.faults += 1
        self.random.choice(self.faults_of_all())()

    def _refuse(self) -> None:
        passing: list[tuple[int, bytes, dict[str, str]]] = [
            (500, b"", {}),
            (503, b"", {"Retry-After": "2"}),
            (429, b"", {"Retry-After": "1"}),
        ]
        # Each of these costs the services half a minute or more, in which less happens.
        lasting: list[tuple[int, bytes, dict[str, str]]] = [
            (200, b"no JSON", {}),
            (307, b"", {"Location": "/elsewhere/"}),
        ]
        count = self.random.randint(1, 4)
        self.refusals += count
        for _ in range(count):
            answers = lasting if self.random.random() < 0.05 else passing
            status, body, headers = self.random.choice(answers)
            self.sandbox.answer_next(status, body, headers=headers)

    def _hang(self) -> None:
        """For longer than the services wait, or not at all any more."""
        self.sandbox.set_delay(self.random.choice([0, 0, 0.1, 3]))

    def _tell_secret(self) -> None:
        draft = self.secret.with_suffix(".new")
        draft.touch(0o600)
        draft.write_text(self.new_secret)
        draft.replace(self.secret)

    def _rotate(self) -> None:
        """The services are refused until their file has the new secret, at the next fault."""
        self.new_secret = self.sandbox.rotate_secret()
        self.refusals += ATTEMPTS * len(self.services)

    def _set_clock(self) -> None:
        self.clocks.move(wall=self.random.randint(-3_600, 3_600), suspended=0)

    def _suspend(self) -> None:
        self.clocks.move(wall=0, suspended=self.random.randint(1, 60))

    def calm(self) -> None:
        """Ends all faults."""
        self._tell_secret()
        self.sandbox.set_delay(0)
        for service in self.services:
            service.calm()

    def requests(self) -> int:
        return self.sandbox.requests("/authenticate/")

    def end(self) -> None:
        for service in self.services:
            service.end()
        self.sandbox.close()

    def requests_allowed(self, seconds: float) -> float:
        """Renewals, what is refused, and one for each fault and service, and for each child, which ends at once. That is
        wide, since services whose store has failed are on their own: see `requests_when_calm`."""
        children = sum(service.reports[-1].children for service in self.services)
        return renewals(seconds) + self.refusals + len(self.services) * self.faults + children


class FileGroup(Group):
    def __init__(self, folder: Path, seed: random.Random, clocks: Clocks) -> None:
        super().__init__("file", folder, seed, clocks)
        self.folder = folder / "store"

    def faults_of_all(self) -> list[Callable[[], None]]:
        return [*super().faults_of_all(), self._remove, self._overwrite, self._replace_by_folder]

    def calm(self) -> None:
        super().calm()
        # A folder in the place of a file has to be taken away by somebody.
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def _overwrite(self) -> None:
        for path in self._files():
            with suppress(OSError):
                path.write_bytes(self.random.randbytes(self.random.randint(0, 5_000)))

    def _replace_by_folder(self) -> None:
        for path in self._files():
            with suppress(OSError):
                path.unlink()
                path.mkdir()


class RedisGroup(Group):
    def __init__(self, folder: Path, seed: random.Random, clocks: Clocks) -> None:
        super().__init__("redis", folder, seed, clocks)
        self.redis = Redis()
        self._alive = True

    def faults_of_all(self) -> list[Callable[[], None]]:
        return [*super().faults_of_all(), self._kill, self._stop, self._resume]

    def _kill(self) -> None:
        self.redis.kill()
        self._alive = False

    def _stop(self) -> None:
        self.redis.send(signal.SIGSTOP)

    def _resume(self) -> None:
        if self._alive:
            self.redis.send(signal.SIGCONT)
        else:
            self.redis.start()
            self._alive = True

    def calm(self) -> None:
        super().calm()
        self._resume()

    def end(self) -> None:
        super().end()
        self.redis.kill()


def log(text: str) -> None:
    print(f"{time.monotonic() - START:7.1f} s  {text}", flush=True)


def renewals(seconds: float) -> float:
    """How many requests at most renew the token of a service, or of several that share it."""
    return seconds / (LIFETIME / 2)


def summary(groups: list[Group]) -> str:
    reports = [s.reports[-1] for group in groups for s in group.services if s.reports]
    return (
        f"{sum(report.calls for report in reports):,} calls, "
        f"{sum(report.failed for report in reports):,} failed, "
        f"{sum(report.children for report in reports):,} children, "
        f"{sum(group.faults for group in groups):,} faults, "
        f"{sum(group.requests() for group in groups):,} token requests"
    )


def wait_for_tokens(groups: list[Group]) -> list[str]:
    """What has no token again when all is well."""
    deadline = time.monotonic() + SETTLED
    late = [service for group in groups for service in group.services]
    while late and time.monotonic() < deadline and all(s.runs for s in late):
        counts = [(len(s.reports), s) for s in late]
        time.sleep(3)
        late = [s for count, s in counts if not serves(s.reports[count - 1 :])]
    return [f"{service.name}: has no token again" for service in late]


def serves(reports: list[Report]) -> bool:
    """Whether calls were made, and none failed."""
    return len(reports) > 1 and (
        reports[-1].calls > reports[0].calls and reports[-1].failed == reports[0].failed
    )


def cause_faults(groups: list[Group], minutes: float, seed: random.Random) -> None:
    start = time.monotonic()
    minute = 0
    while (now := time.monotonic() - start) < minutes * 60:
        if now >= minute * 60:
            log(summary(groups))
            minute += 1
        time.sleep(seed.uniform(0.2, 2))
        seed.choice(groups).cause_fault()
    for group in groups:
        group.calm()


def check_requests(name: str, requests: int, allowed: float) -> list[str]:
    log(f"{name}: {requests} token requests, {allowed:.0f} allowed")
    return [f"{name}: too many token requests"] if requests > allowed else []


def requests_when_calm(groups: list[Group]) -> list[str]:
    """Whether services that share a store need no more requests than one alone."""
    before = [group.requests() for group in groups]
    start = time.monotonic()
    time.sleep(CALM)
    counts = [group.requests() - count for group, count in zip(groups, before, strict=True)]
    allowed = renewals(time.monotonic() - start) + 1
    found = [
        check_requests(f"{group.name}, calm", count, allowed)
        for group, count in zip(groups, counts, strict=True)
    ]
    return sum(found, [])


def run(groups: list[Group], minutes: float, seed: random.Random) -> list[str]:
    """What was found."""
    start = time.monotonic()
    cause_faults(groups, minutes, seed)
    found = wait_for_tokens(groups)
    seconds = time.monotonic() - start
    log(summary(groups))
    if found:
        return found
    for group in groups:
        found += check_requests(group.name, group.requests(), group.requests_allowed(seconds))
    return found + requests_when_calm(groups)


def end(groups: list[Group]) -> list[str]:
    """What the services complained of, and what grew."""
    found = []
    for group in groups:
        group.end()
        for service in group.services:
            found += [f"{service.name}: {line}" for line in service.complaints + service.growth()]
            for report in service.reports[-1:]:
                log(f"{service.name}: {report}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs services for minutes, with faults.")
    parser.add_argument("worker", help="worker.c, built")
    parser.add_argument("clock", type=Path, help="clock.c, built")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    seed = random.Random(arguments.seed)
    commands = {
        "C": [arguments.worker],
        "Python": [sys.executable, str(Path(__file__).with_name("worker.py"))],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clocks = Clocks(folder / "clocks")
        files, redis = FileGroup(folder, seed, clocks), RedisGroup(folder, seed, clocks)
        files.start(commands, str(files.folder), arguments.clock.resolve())
        redis.start(commands, f"redis://127.0.0.1:{redis.redis.port}", arguments.clock.resolve())
        try:
            found = run([files, redis], arguments.minutes, seed)
        finally:
            complaints = end([files, redis])
        found += complaints
    for line in found:
        print(f"found: {line}")
    print(f"{1 - bool(found)} passed, {int(bool(found))} failed")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
