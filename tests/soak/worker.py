"""The same service as worker.c, in Python: threads, tasks and forks."""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import select
import signal
import struct
import sys
import threading
import time
import warnings
from itertools import count

import clazar_auth

THREADS = 3
TASKS = 10
PAUSE = 0.004


class Clocks:
    """What `struct moved` of clock.h holds."""

    def __init__(self) -> None:
        with open(os.environ["SOAK_CLOCK"], "rb") as file:
            self._map = mmap.mmap(file.fileno(), 24, access=mmap.ACCESS_READ)

    def times_moved(self) -> int:
        times: int = struct.unpack("=3q", self._map)[2]
        return times


def complain(text: str) -> None:
    """Without the buffer and its lock, which a forked child may find taken."""
    os.write(2, f"{text}\n".encode())


class Service:
    def __init__(self) -> None:
        self.provider = clazar_auth.TokenProvider.from_env(timeout=2)
        self.clocks = Clocks()
        self.over = threading.Event()
        self.calls = self.failed = self.invalidated = self.children = 0

    def ask(self) -> None:
        caller = Caller(self)
        while not self.over.is_set():
            caller.ask()
            time.sleep(PAUSE)

    async def ask_async(self) -> None:
        caller = Caller(self)
        while not self.over.is_set():
            await caller.ask_async()
            await asyncio.sleep(TASKS * PAUSE)

    async def tasks(self) -> None:
        await asyncio.gather(*(self.ask_async() for _ in range(TASKS)))

    def invalidate(self) -> None:
        self.invalidated += 1
        if token := self.provider.peek():
            self.provider.invalidate(token)
        self.invalidated += 1

    def spawn(self) -> None:
        child = os.fork()
        if child == 0:
            signal.alarm(120)
            os._exit(Caller(self).ask())
        _, status = os.waitpid(child, 0)
        if status:
            complain(f"a child failed, with status {status}")
        self.children += 1

    def report(self) -> None:
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
        report = {
            "calls": self.calls,
            "failed": self.failed,
            "children": self.children,
            "threads": len(os.listdir("/proc/self/task")),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "kilobytes": pages * os.sysconf("SC_PAGESIZE") // 1024,
        }
        print(json.dumps(report), flush=True)


class Caller:
    """Asks, and remembers the last token that was found."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token: clazar_auth.AccessToken | None = None
        self.endings: tuple[int, int] | None = None

    def what_ended_lives(self) -> tuple[int, int]:
        """Something that has changed when tokens have ended before their time."""
        return self.service.clocks.times_moved(), self.service.invalidated

    def look(self) -> None:
        """Keeps the token that was found before if there is none now, which is what must not happen."""
        endings = self.what_ended_lives()
        if token := self.service.provider.peek():
            self.token, self.endings = token, endings

    def failed_in_vain(self, error: clazar_auth.ClazarAuthError) -> bool:
        """Whether a call failed although a token lived all the while."""
        self.service.failed += 1
        if not self.token or self.token.expired or self.endings != self.what_ended_lives():
            return False
        complain(f"a call failed while a token lived: {error}")
        return True

    def ask(self) -> bool:
        self.service.calls += 1
        self.look()
        try:
            self.service.provider.authorization()
        except clazar_auth.ClazarAuthError as error:
            return self.failed_in_vain(error)
        return False

    async def ask_async(self) -> None:
        self.service.calls += 1
        self.look()
        try:
            await self.service.provider.token_async()
        except clazar_auth.ClazarAuthError as error:
            self.failed_in_vain(error)


def main() -> None:
    # Python 3.12 and later warn of a fork of a program with threads, which this one is for.
    warnings.simplefilter("ignore", DeprecationWarning)
    service = Service()
    threads = [threading.Thread(target=service.ask) for _ in range(THREADS)]
    threads.append(threading.Thread(target=lambda: asyncio.run(service.tasks())))
    for thread in threads:
        thread.start()
    calm = False
    for second in count(1):
        if select.select([sys.stdin], [], [], 1)[0]:
            if not sys.stdin.readline():
                break
            calm = True
        service.report()
        if not calm and second % 2 == 0:
            service.spawn()
        if not calm and second % 40 == 0:
            service.invalidate()
    service.over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
