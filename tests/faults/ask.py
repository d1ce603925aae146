"""Does to a provider what each line of standard input says, and tells how it went as a line of JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import Any

import clazar_auth

log: list[str] = []


class Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log.append(f"{record.getMessage()} {vars(record)}")


logging.getLogger("clazar_auth").addHandler(Handler())
logging.getLogger("clazar_auth").setLevel(logging.DEBUG)


def make(
    url: str, client_id: str, secret: str, timeout: str, ca_file: str, proxy: str, store: str
) -> clazar_auth.TokenProvider:
    return clazar_auth.TokenProvider(
        client_id,
        secret,
        auth_url=url,
        timeout=int(timeout) / 1000,
        ca_file=ca_file or None,
        proxy=proxy,
        store=store or "memory",
        system_roots=False,
        on_event=lambda event: log.append(repr(event)),
    )


def ask(provider: clazar_auth.TokenProvider, how: str) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    start = time.monotonic()
    try:
        token = getattr(provider, how)()
        if token is not None:
            answer |= {"token": token.value, "expires_in": int(token.expires_in)}
    except clazar_auth.ClazarAuthError as error:
        assert error.retry_after is not None
        answer["error"] = {
            "kind": type(error).__name__,
            "status": error.http_status or 0,
            "retryable": error.retryable,
            "retry_after": round(error.retry_after * 1000),
            "message": str(error),
            "shown": [repr(error), vars(error), traceback.format_exc()],
        }
    return answer | {"waited": int((time.monotonic() - start) * 1000)}


def ended(provider: clazar_auth.TokenProvider) -> int:
    stats = provider.stats()
    causes = (stats.empty, stats.proactive, stats.refresh)
    return sum(cause.succeeded + cause.failed for cause in causes)


answer: dict[str, Any]
for line in sys.stdin:
    command, *fields = line.rstrip("\n").split("\t")
    if command == "new":
        log.clear()
        provider = make(*fields)
        answer = {}
    elif command == "close":
        provider.close()
        answer = {}
    elif command == "count":
        answer = {"ended": ended(provider)}
    else:
        answer = ask(provider, command)
    print(json.dumps(answer | {"log": "\n".join(log)}), flush=True)
