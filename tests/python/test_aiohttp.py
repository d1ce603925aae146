"""What is special to aiohttp; see test_adapters.py for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import pytest
from helpers import LONG, Handler, HeldServer, Loopback

from clazar_auth import ConfigurationError, InvalidCredentialsError, TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.testing import Sandbox

T = TypeVar("T")


def run(
    provider: TokenProvider, main: Callable[[aiohttp.ClientSession], Awaitable[T]], **options: Any
) -> T:
    async def bounded() -> T:
        adapter = middleware(provider)
        async with aiohttp.ClientSession(middlewares=[adapter], **options) as session:
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


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_each_kind_of_redirect_may_lead_elsewhere(sandbox: Sandbox, code: int) -> None:
    with Loopback() as other:
        sandbox.answer_next(code, headers={"Location": other.url}, path="/buyers/")
        url = f"{sandbox.url}/buyers/"
        assert run(sandbox.provider(), lambda session: status(session, url)) == 200
        assert "Authorization" not in other.seen[0]


def test_what_makes_a_task_of_each_request_may_come_after_it(sandbox: Sandbox) -> None:
    async def in_a_task(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        return await asyncio.ensure_future(handler(request))

    async def main() -> int:
        adapters = [middleware(sandbox.provider()), in_a_task]
        async with aiohttp.ClientSession(middlewares=adapters) as session:
            return await status(session, redirect(sandbox, other.url))

    with Loopback() as other:
        assert asyncio.run(main()) == 200
        assert "Authorization" not in other.seen[0]


def test_one_redirect_elsewhere_may_follow_another(sandbox: Sandbox) -> None:
    with Sandbox() as other, Loopback() as third:
        url = redirect(sandbox, redirect(other, third.url))
        assert run(sandbox.provider(), lambda session: status(session, url)) == 200
        assert "Authorization" not in third.seen[0]


def test_an_error_shows_the_token_in_its_repr(sandbox: Sandbox) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        await session.get(f"{sandbox.url}/nothing/", raise_for_status=True)

    provider = sandbox.provider()
    with pytest.raises(aiohttp.ClientResponseError) as caught:
        run(provider, main)
    token = provider.token().value
    assert token in repr(caught.value), "SECURITY.md says so"
    assert token not in str(caught.value)


def test_a_refusal_of_another_authorization_is_not_ours(sandbox: Sandbox) -> None:
    async def other(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["Authorization"] = "Basic bm90LWEtcmVhbC1wYXNzd29yZA=="
        return await handler(request)

    async def main() -> int:
        async with aiohttp.ClientSession(middlewares=[middleware(provider), other]) as session:
            return await status(session, f"{sandbox.url}/listings/")

    provider = sandbox.provider()
    assert asyncio.run(main()) == 401
    assert sandbox.requests("/listings/") == 1
    assert provider.stats().invalidations == 0


def test_a_failed_token_request_after_a_401_holds_no_connection(sandbox: Sandbox) -> None:
    async def main() -> int:
        url = f"{sandbox.url}/listings/"
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(InvalidCredentialsError) as caught:
                await session.get(url, middlewares=[middleware(provider)])
            assert caught.tb, "it refers to the response, which so is not closed by itself"
            return await asyncio.wait_for(status(session, url), LONG)

    provider = sandbox.provider()
    provider.token()
    sandbox.answer_next(401, bytes(4 << 20), path="/listings/")
    sandbox.rotate_secret()
    assert asyncio.run(main()) == 401


def test_the_history_shows_no_refusal(sandbox: Sandbox) -> None:
    async def main(session: aiohttp.ClientSession) -> object:
        async with session.get(f"{sandbox.url}/listings/") as response:
            return response.status, response.history

    sandbox.answer_next(401, path="/listings/")
    assert run(sandbox.provider(), main) == (200, ()), "docs/http.md says so"


def test_a_total_time_out_is_for_the_token_as_well() -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await session.get(server.url, timeout=aiohttp.ClientTimeout(total=0.05))
        server.go_on.set()
        assert await status(session, server.url) == 200

    with HeldServer() as server:
        run(server.provider(), main)
        assert [headers.get("Authorization") for headers in server.seen] == [None, "Bearer held-1"]


def test_the_token_does_not_come_back_from_elsewhere(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        url = redirect(sandbox, redirect(other, f"{sandbox.url}/listings/"))
        provider = sandbox.provider()
        assert run(provider, lambda session: status(session, url)) == 401
        assert sandbox.requests("/listings/") == 1
        assert provider.stats().invalidations == 0, "nobody has refused the token"


def test_the_next_call_has_the_token_again(sandbox: Sandbox) -> None:
    with Sandbox() as other:

        async def main(session: aiohttp.ClientSession) -> list[int]:
            url = redirect(sandbox, redirect(other, f"{sandbox.url}/listings/"))
            calls = [url, f"{sandbox.url}/listings/", redirect(sandbox, "/listings/")]
            return [await status(session, url) for url in calls]

        assert run(sandbox.provider(), main) == [401, 200, 200]


@pytest.mark.parametrize("total", [None, LONG])
def test_a_redirect_that_is_not_followed_opens_no_other_host(
    sandbox: Sandbox, total: float | None
) -> None:
    with Loopback() as other, Loopback() as third:

        async def main(session: aiohttp.ClientSession) -> None:
            assert await status(session, redirect(sandbox, other.url), follow=False) == 302
            for url in (other.url, third.url):
                with pytest.raises(ConfigurationError, match="allowed_hosts"):
                    await status(session, url)

        run(sandbox.provider(), main, timeout=aiohttp.ClientTimeout(total))
        assert other.seen == third.seen == []


def test_a_redirect_that_is_not_followed_takes_no_token_away(sandbox: Sandbox) -> None:
    with Loopback() as other:

        async def main(session: aiohttp.ClientSession) -> list[int]:
            first = redirect(sandbox, other.url)
            return [await status(session, first, follow=False), await status(session, first)]

        assert run(sandbox.provider(), main) == [302, 200]


class Dropping(Loopback):
    """Hangs up on the second request of its first connection."""

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = DroppingHandler


class DroppingHandler(Handler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if len(self.server.seen) == 1:
            self.server.seen.append({})
            self.close_connection = True
        else:
            super().do_GET()


def test_a_request_after_a_redirect_may_be_sent_anew(sandbox: Sandbox) -> None:
    """aiohttp does so by itself, when a connection that it kept is closed under it."""
    with Dropping() as other:

        async def main(session: aiohttp.ClientSession) -> list[int]:
            return [await status(session, redirect(sandbox, other.url)) for _ in range(2)]

        assert run(sandbox.provider(), main) == [200, 200]
        assert len(other.seen) == 3


@pytest.mark.parametrize("location", ["http://[", "mailto:someone"])
def test_what_leads_nowhere_is_for_aiohttp_to_judge(sandbox: Sandbox, location: str) -> None:
    with pytest.raises(aiohttp.ClientError):
        run(sandbox.provider(), lambda session: status(session, redirect(sandbox, location)))
