"""A WSGI program for servers that import it once and then fork, which tells who answered and with what token."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clazar_auth

HERE, WORKERS = Path(os.environ["MEETING"]), 3

provider = clazar_auth.TokenProvider.from_env()
if "WARM" in os.environ:
    provider.token()


def meet() -> int:
    """No worker ends its first request before each of the others has one."""
    (HERE / f"{os.getpid()}.worker").touch()
    while len(list(HERE.glob("*.worker"))) < WORKERS:
        time.sleep(0.001)
    return os.getpid()


def work() -> tuple[int, str]:
    return meet(), provider.token().fingerprint


async def work_async() -> tuple[int, str]:
    return meet(), (await provider.token_async()).fingerprint


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield json.dumps(work()).encode()
