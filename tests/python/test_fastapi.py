"""A service of FastAPI under uvicorn, in a process of its own: its tasks, cancellations and outages."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from helpers import LONG, HeldServer
from test_servers import server

from clazar_auth.testing import Sandbox

TASKS = 200

SERVICE = Path(__file__).with_name("programs") / "service.py"


@contextmanager
def service(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The URL of the running service, which has to end when it is told to."""
    shutil.copy(SERVICE, folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = ["-m", "uvicorn", f"--fd={listener.fileno()}", "service:app"]
        options: dict[str, Any] = {"pass_fds": [listener.fileno()]}
        with server(command, folder, environment, **options) as uvicorn:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            uvicorn.send_signal(signal.SIGINT)


def client(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=LONG, limits=limits, trust_env=False)


def test_two_hundred_tasks_share_a_token_request_whatever_ends_some(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with client(url) as session:
            assert (await session.get("/health")).status_code == 503
            paths = ["/patient", "/direct", "/impatient", "/cancelled"] * (TASKS // 4)
            tasks: dict[str, list[asyncio.Task[httpx.Response]]] = {path: [] for path in paths}
            for path in paths:
                tasks[path].append(asyncio.create_task(session.get(path)))
            for response in await asyncio.gather(*tasks["/impatient"]):
                assert response.status_code == 503
                assert response.json() == {"error": "AuthTimeoutError", "code": None}
            cancelled = await asyncio.gather(*tasks["/cancelled"])
            assert {response.json() for response in cancelled} == {"cancelled"}
            while (await session.get("/health")).json()["waited"] < TASKS:
                await asyncio.sleep(0.001)
            assert held.requests() == 1
            waiting = tasks["/patient"] + tasks["/direct"]
            assert not any(task.done() for task in waiting)
            # Clients that hang up take nothing from the others.
            for task in waiting[::10]:
                task.cancel()
            held.go_on.set()
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            given = [answer.json() for answer in answers if isinstance(answer, httpx.Response)]
            assert given == [{"Authorization": "Bearer held-1"}] * (len(waiting) * 9 // 10)
            assert (await session.get("/health")).status_code == 200

    with HeldServer() as held, service(tmp_path, held.environment()) as url:
        asyncio.run(asyncio.wait_for(main(url), LONG))
        assert held.requests() == 1


def test_a_service_tells_of_an_outage_and_goes_on_after_it(
    sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path: Path
) -> None:
    async def main(url: str) -> None:
        async with client(url) as session:
            sandbox.answer_next(501, b'{"error": "temporarily_unavailable"}')
            response = await session.get("/listings")
            assert response.status_code == 503
            assert response.json() == {"error": "ServerError", "code": "temporarily_unavailable"}
            while (response := await session.get("/listings")).status_code != 200:
                assert response.json()["error"] == "ServerError"
                await asyncio.sleep(0.05)
            sandbox.revoke_tokens()
            both = await asyncio.gather(session.get("/listings"), session.get("/listings"))
            assert [response.json() for response in both] == [{"status": 200}] * 2

    with service(tmp_path, sandbox_environment) as url:
        asyncio.run(asyncio.wait_for(main(url), LONG))
    assert sandbox.requests() == 3


def test_a_keyword_of_a_dependency_is_a_parameter_of_the_request(tmp_path: Path) -> None:
    """As docs/http.md warns: whoever calls the service sets the time-out."""

    async def main(url: str) -> None:
        async with client(url) as session:
            response = await session.get("/direct?timeout=0.01")
            assert response.json()["error"] == "AuthTimeoutError"

    with HeldServer() as held, service(tmp_path, held.environment()) as url:
        asyncio.run(asyncio.wait_for(main(url), LONG))
