"""What is special to aiohttp; see test_adapters.py for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import pytest
from helpers import LONG, Loopback

from clazar_auth import ConfigurationError, TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.testing import Sandbox

T = TypeVar("T")


def run(provider: TokenProvider, main: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with aiohttp.ClientSession(middlewares=[middleware(provider)]) as session:
            return await asyncio.wait_for(main(session), LONG)

    return asyncio.run(bounded())


def redirect(sandbox: Sandbox, location: str) -> str:
    sandbox.answer_next(302, headers={"Location": location}, path="/buyers/")
    return f"{sandbox.url}/buyers/"


async def status(session: aiohttp.ClientSession, url: str, follow: bool = True) -> int:
    async with session.get(url, allow_redirects=follow) as response:
        return response.status


def test_a_redirect_to_an_allowed_host_keeps_the_token(sandbox: Sandbox) -> None:
    with Loopback() as other:
        hosts = [url.removeprefix("http://") for url in (sandbox.url, other.url)]
        provider = sandbox.provider(allowed_hosts=hosts)
        assert run(provider, lambda session: status(session, redirect(sandbox, other.url))) == 200
        assert other.seen[0]["Authorization"] == provider.authorization()


def test_one_redirect_elsewhere_may_follow_another(sandbox: Sandbox) -> None:
    with Sandbox() as other, Loopback() as third:
        url = redirect(sandbox, redirect(other, third.url))
        assert run(sandbox.provider(), lambda session: status(session, url)) == 200
        assert "Authorization" not in third.seen[0]


def test_a_redirect_that_is_not_followed_opens_no_other_host(sandbox: Sandbox) -> None:
    with Loopback() as other, Loopback() as third:

        async def main(session: aiohttp.ClientSession) -> None:
            assert await status(session, redirect(sandbox, other.url), follow=False) == 302
            with pytest.raises(ConfigurationError, match="allowed_hosts"):
                await status(session, third.url)
            with pytest.raises(ConfigurationError, match="allowed_hosts"):
                await status(session, other.url)

        run(sandbox.provider(), main)
        assert other.seen == third.seen == []


@pytest.mark.parametrize("location", ["http://[", "mailto:someone"])
def test_what_leads_nowhere_is_for_aiohttp_to_judge(sandbox: Sandbox, location: str) -> None:
    with pytest.raises(aiohttp.ClientError):
        run(sandbox.provider(), lambda session: status(session, redirect(sandbox, location)))
