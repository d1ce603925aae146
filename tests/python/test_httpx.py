"""What is special to httpx and httpx2; see test_adapters.py for the rest."""

from __future__ import annotations

import asyncio
import copy
import gzip
import io
import pickle
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import trustme
from adapters import unwrapped, wrapped
from helpers import Loopback, python

from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

both = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])

USE = """
import sys
from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

sys.modules[sys.argv[2]] = None  # As if it were not installed.
with Sandbox() as sandbox:
    auth = Auth(sandbox.provider())
    library = __import__(sys.argv[1])
    for count in (1, 2):
        response = library.get(sandbox.url + "/listings/", auth=auth)
        assert response.status_code == 200, response
        sandbox.revoke_tokens()
    assert isinstance(auth, library.Auth)
    assert sys.modules[sys.argv[2]] is None
"""

ALIAS = """
import httpx2
httpx2.alias_httpx()
import httpx
from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

assert httpx is httpx2
with Sandbox() as sandbox:
    auth = Auth(sandbox.provider())
    assert httpx.get(sandbox.url + "/listings/", auth=auth).status_code == 200
"""


@pytest.mark.parametrize("names", [["httpx", "httpx2"], ["httpx2", "httpx"]], ids="-without-".join)
def test_one_is_enough_and_may_be_imported_late(names: list[str]) -> None:
    done = python(USE, "-W", "error", arguments=names)
    assert done.returncode == 0, done.stderr


def test_one_may_go_under_the_name_of_the_other() -> None:
    done = python(ALIAS, "-W", "error")
    assert done.returncode == 0, done.stderr


def test_one_adapter_serves_both(sandbox: Sandbox) -> None:
    auth = Auth(sandbox.provider())
    assert isinstance(auth, Auth)
    assert auth.__class__ is auth.__class__ is not Auth
    assert auth.__class__.__name__ == "Auth"
    assert isinstance(auth, httpx.Auth)
    assert isinstance(auth, httpx2.Auth)
    assert not isinstance(auth, (httpx.BasicAuth, httpx2.BasicAuth, str))
    for library in (httpx, httpx2):
        response = library.get(f"{sandbox.url}/listings/", auth=copy.copy(auth))
        assert response.json()["count"] == 3
    assert sandbox.requests() == 1


def test_the_adapter_pickles_as_its_provider_does(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    auth = pickle.loads(pickle.dumps(Auth(TokenProvider.from_env())))
    assert httpx.get(f"{sandbox.url}/listings/", auth=auth).status_code == 200
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Auth(sandbox.provider()))


@both
def test_a_response_pickles_with_the_token(sandbox: Sandbox, library: ModuleType) -> None:
    provider = sandbox.provider()
    response = library.get(f"{sandbox.url}/listings/", auth=Auth(provider))
    token = provider.token().value.encode()
    assert token in pickle.dumps(response), "SECURITY.md says so"
    del response.request.headers["Authorization"]
    assert token not in pickle.dumps(response)


@both
def test_a_form_is_sent_again(sandbox: Sandbox, library: ModuleType) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    response = library.post(f"{sandbox.url}/metering/", data={"a": "b"}, auth=Auth(provider))
    assert response.status_code == 400, "it is no metering request"
    assert sandbox.received("/metering/") == [b"a=b"] * 2
    [refused] = response.history
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_token"})
    assert refused.elapsed > timedelta(0)


@both
def test_the_extensions_of_a_request_go_with_it(sandbox: Sandbox, library: ModuleType) -> None:
    with library.Client(auth=Auth(sandbox.provider())) as client:
        response = client.get(f"{sandbox.url}/nothing/", extensions={"target": b"/listings/"})
    assert response.json()["count"] == 3


@both
def test_a_program_need_not_have_a_timeout(sandbox: Sandbox, library: ModuleType) -> None:
    sandbox.answer_next(401, b"a reason", path="/listings/")
    auth = Auth(sandbox.provider())
    response = library.get(f"{sandbox.url}/listings/", auth=auth, timeout=None)
    assert response.status_code == 200
    assert [refused.content for refused in response.history] == [b"a reason"]


@both
@pytest.mark.parametrize("name", ["content", "files"])
def test_a_file_is_not_sent_again(sandbox: Sandbox, library: ModuleType, name: str) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    answers = []
    for _ in range(2):
        file = io.BytesIO(b"{}")
        body: dict[str, object] = {name: file if name == "content" else {"file": file}}
        url = f"{sandbox.url}/metering/"
        answers.append(library.post(url, auth=Auth(provider), **body).status_code)
    assert answers[0] == 401
    assert answers[1] != 401, "the refused token is out of use"
    assert sandbox.requests("/metering/") == 2
    assert sandbox.requests() == 2


@both
def test_a_refusal_that_is_compressed_is_dropped(sandbox: Sandbox, library: ModuleType) -> None:
    headers = {"Content-Encoding": "gzip"}
    sandbox.answer_next(401, gzip.compress(b"a reason"), headers=headers, path="/listings/")
    response = library.get(f"{sandbox.url}/listings/", auth=Auth(sandbox.provider()))
    assert response.status_code == 200
    [refused] = response.history
    assert (refused.status_code, refused.content) == (401, b"")


@both
def test_a_refusal_that_is_long_is_dropped(sandbox: Sandbox, library: ModuleType) -> None:
    sandbox.answer_next(401, bytes(64 * 1024 + 1), path="/listings/")
    response = library.get(f"{sandbox.url}/listings/", auth=Auth(sandbox.provider()))
    assert [refused.content for refused in response.history] == [b""]


class Refusing(Loopback):
    """Answers 401."""

    verify: ssl.SSLContext

    def answer(self) -> tuple[int, dict[str, object]]:
        return 401, {}


@pytest.fixture(params=["http", "https"])
def refusing(request: pytest.FixtureRequest) -> Iterator[Refusing]:
    authority = trustme.CA()
    server = Refusing()
    server.verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(server.verify)
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.url = server.url.replace("http:", "https:")
    with server:
        yield server


def check(response: Any) -> None:
    response.raise_for_status()


async def check_async(response: Any) -> None:
    response.raise_for_status()


either = pytest.mark.parametrize("auth", [unwrapped, wrapped])


@both
@either
def test_a_hook_that_raises_keeps_no_refusal_from_the_provider(
    sandbox: Sandbox, refusing: Refusing, library: ModuleType, auth: Callable[..., Any]
) -> None:
    """The library runs it before the adapter sees the response."""
    provider = sandbox.provider(allowed_hosts=[f"127.0.0.1:{refusing.server_port}"])
    options = {"event_hooks": {"response": [check]}, "verify": refusing.verify}
    client = library.Client(auth=auth(library, provider), **options)
    with client, pytest.raises(library.HTTPStatusError):
        client.get(refusing.url)
    assert provider.stats().invalidations == 1


@both
@either
def test_an_asynchronous_hook_that_raises_keeps_none_either(
    sandbox: Sandbox, refusing: Refusing, library: ModuleType, auth: Callable[..., Any]
) -> None:
    async def main() -> None:
        options = {"event_hooks": {"response": [check_async]}, "verify": refusing.verify}
        client = library.AsyncClient(auth=auth(library, provider), **options)
        async with client:
            with pytest.raises(library.HTTPStatusError):
                await client.get(refusing.url)

    provider = sandbox.provider(allowed_hosts=[f"127.0.0.1:{refusing.server_port}"])
    asyncio.run(main())
    assert provider.stats().invalidations == 1


@both
def test_a_hook_that_raises_for_another_authorization_takes_no_token_away(
    sandbox: Sandbox, library: ModuleType
) -> None:
    def replace(request: Any) -> None:
        request.headers["Authorization"] = "Basic bm90LWEtcmVhbC1wYXNzd29yZA=="

    provider = sandbox.provider()
    hooks = {"request": [replace], "response": [check]}
    client = library.Client(auth=Auth(provider), event_hooks=hooks)
    with client, pytest.raises(library.HTTPStatusError):
        client.get(f"{sandbox.url}/listings/")
    assert provider.stats().invalidations == 0


@both
def test_a_transport_that_traces_nothing(sandbox: Sandbox, library: ModuleType) -> None:
    statuses = iter((401, 200))
    transport = library.MockTransport(lambda request: library.Response(next(statuses)))
    provider = sandbox.provider()
    with library.Client(auth=Auth(provider), transport=transport) as client:
        assert client.get(f"{sandbox.url}/listings/").status_code == 200
    assert provider.stats().invalidations == 1


@both
def test_an_asynchronous_transport_that_traces_nothing(
    sandbox: Sandbox, library: ModuleType
) -> None:
    async def main() -> None:
        async with library.AsyncClient(auth=Auth(provider), transport=transport) as client:
            assert (await client.get(f"{sandbox.url}/listings/")).status_code == 200

    statuses = iter((401, 200))
    transport = library.MockTransport(lambda request: library.Response(next(statuses)))
    provider = sandbox.provider()
    asyncio.run(main())
    assert provider.stats().invalidations == 1


def get(client: Any, url: str) -> Any:
    with client:
        return client.get(url)


def get_async(client: Any, url: str) -> Any:
    async def main() -> Any:
        async with client:
            return await client.get(url)

    return asyncio.run(main())


@both
@pytest.mark.parametrize(("kind", "get"), [("Client", get), ("AsyncClient", get_async)])
def test_an_auth_of_the_program_may_go_through_it(
    sandbox: Sandbox, library: ModuleType, kind: str, get: Callable[..., Any]
) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    client = getattr(library, kind)(auth=wrapped(library, provider))
    response = get(client, f"{sandbox.url}/listings/")
    assert response.status_code == 200
    assert response.request.headers["X-Wrapped"] == "yes"
    assert [refused.json() for refused in response.history] == [{"error": "invalid_token"}]


def test_an_auth_of_the_program_may_ask_what_it_needs(sandbox: Sandbox) -> None:
    auth = Auth(sandbox.provider())
    assert (auth.requires_request_body, auth.requires_response_body) == (False, False)
