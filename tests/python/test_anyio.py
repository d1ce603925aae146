"""One token for the tasks of anyio, on each of its event loops, through httpx."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from helpers import LONG, HeldServer

from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

TASKS = 50
LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


@pytest.mark.parametrize("loop", LOOPS)
def test_tasks_share_one_token_request(loop: str, sandbox: Sandbox) -> None:
    statuses: list[int] = []

    async def get(client: httpx.AsyncClient) -> None:
        statuses.append((await client.get(f"{sandbox.url}/listings/")).status_code)

    async def main() -> None:
        auth = Auth(sandbox.provider())
        with anyio.fail_after(LONG):
            async with httpx.AsyncClient(auth=auth) as client, anyio.create_task_group() as group:
                for _ in range(TASKS):
                    group.start_soon(get, client)

    sandbox.set_delay(0.1)
    anyio.run(main, **LOOPS[loop])
    assert statuses == [200] * TASKS
    assert sandbox.requests() == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cancelled_scope_harms_no_other(loop: str) -> None:
    values: list[str] = []

    async def ask(provider: TokenProvider) -> None:
        values.append((await provider.token_async()).value)

    async def main(provider: TokenProvider) -> None:
        with anyio.fail_after(LONG):
            async with anyio.create_task_group() as group:
                group.start_soon(ask, provider)
                with anyio.move_on_after(0.01) as scope:
                    await provider.token_async()
                assert scope.cancelled_caught and values == []
                server.go_on.set()

    with HeldServer() as server:
        anyio.run(main, server.provider(), **LOOPS[loop])
        assert values == ["held-1"]
        assert server.requests() == 1
