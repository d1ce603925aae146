"""Each HTTP library with the provider's token: the same tests for all of them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
from adapters import LIBRARIES, Answer, Call, Library
from helpers import LONG, Handler, HeldServer, Loopback, python, until

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.integrations.aiohttp import middleware
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox, StaticProvider

RECORDS = [{"cloud": "aws", "contract_id": "contracts-1", "dimension": "requests", "quantity": "1"}]
BODY = json.dumps({"request": RECORDS}).encode()
MANY = 16


def those(wanted: Callable[[Library], bool]) -> pytest.MarkDecorator:
    found = {name: library for name, library in LIBRARIES.items() if wanted(library)}
    return pytest.mark.parametrize("library", found.values(), ids=found)


everywhere = those(lambda library: True)
with_adapter = those(lambda library: library.retries)
with_files = those(lambda library: library.retries and library.takes_files)


def listings(sandbox: Sandbox) -> Call:
    return Call(f"{sandbox.url}/listings/")


def metering(sandbox: Sandbox, body: object) -> Call:
    return Call(f"{sandbox.url}/metering/", "POST", body)  # type: ignore[arg-type]


def accepted(answer: Answer) -> bool:
    """Whether the sandbox got the whole body; the same twice is a duplicate."""
    if answer.status != 200:
        return False
    [result] = json.loads(answer.body)["results"]
    return bool(result.items() >= RECORDS[0].items())


def pieces() -> Iterator[bytes]:
    yield BODY[:10]
    yield BODY[10:]


# ---- The token ----


@everywhere
def test_one_token_serves_many_requests(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    answers = library.each(provider, listings(sandbox), listings(sandbox))
    assert [answer.status for answer in answers] == [200, 200]
    assert json.loads(answers[0].body)["count"] == 3
    assert accepted(library.one(provider, metering(sandbox, BODY)))
    assert sandbox.requests("/listings/") == 2
    assert sandbox.requests() == 1


@those(lambda library: not library.blocks)
def test_many_at_once_share_one_token_request(library: Library) -> None:
    with HeldServer() as server:
        provider = server.provider()

        def go_on_when_all_wait() -> None:
            # Where one of them blocked an event loop, the others would not come to wait.
            try:
                until(lambda: provider.stats().waited == MANY)
            finally:
                server.go_on.set()

        helper = threading.Thread(target=go_on_when_all_wait)
        helper.start()
        answers = library.together(provider, MANY, Call(f"{server.url}/listings/"))
        helper.join()
        assert [answer.status for answer in answers] == [200] * MANY
        assert server.requests() == MANY + 1


# ---- A 401 ----


@with_adapter
@pytest.mark.parametrize("body", [None, BODY], ids=["get", "post"])
def test_a_revoked_token_is_replaced(
    library: Library, sandbox: Sandbox, body: bytes | None
) -> None:
    provider = sandbox.provider()
    revoked = provider.token()
    sandbox.revoke_tokens()
    call = listings(sandbox) if body is None else metering(sandbox, body)
    answers = library.each(provider, call, call)
    assert [answer.status for answer in answers] == [200, 200]
    assert body is None or all(map(accepted, answers))
    assert provider.token().value != revoked.value
    assert sandbox.requests("/listings/") + sandbox.requests("/metering/") == 3
    assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


@with_adapter
def test_a_long_answer_holds_no_connection(library: Library, sandbox: Sandbox) -> None:
    sandbox.answer_next(401, bytes(4 << 20), path="/listings/")
    assert library.one(sandbox.provider(), listings(sandbox)).status == 200


@with_files
def test_a_file_is_sent_again_from_where_it_stood(
    library: Library, sandbox: Sandbox, tmp_path: Path
) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    (tmp_path / "body").write_bytes(b"not a part of it" + BODY)
    with open(tmp_path / "body", "rb") as file:
        file.seek(-len(BODY), io.SEEK_END)
        assert accepted(library.one(provider, metering(sandbox, file)))
    assert sandbox.requests("/metering/") == 2


@with_adapter
def test_a_body_that_is_gone_is_not_sent_again(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    assert accepted(library.one(provider, metering(sandbox, pieces)))
    sandbox.revoke_tokens()
    refused, *others = library.each(provider, *[metering(sandbox, pieces)] * 3)
    assert refused.status == 401
    assert all(map(accepted, others)), "the refused token is out of use"
    assert sandbox.requests("/metering/") == 4
    assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


@with_adapter
def test_many_bodies_that_are_gone_invalidate_one_token(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    answers = library.together(provider, MANY, metering(sandbox, pieces))
    assert {answer.status for answer in answers} <= {200, 401}
    assert accepted(library.one(provider, metering(sandbox, pieces)))
    assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


@with_adapter
def test_a_401_for_ever_is_returned_after_one_retry(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for _ in range(10):
        sandbox.answer_next(401, b"for ever", path="/listings/")
    assert library.one(provider, listings(sandbox)) == (401, b"for ever")
    assert sandbox.requests("/listings/") == 2
    assert sandbox.requests() == 2
    assert library.one(provider, listings(sandbox)) == (401, b"for ever")
    assert sandbox.requests("/listings/") == 3, "with the same token there is nothing to retry"
    assert sandbox.requests() == 2


@everywhere
def test_a_403_is_returned_as_it_is(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(403, path="/listings/")
    assert library.one(provider, listings(sandbox)).status == 403
    assert sandbox.requests() == sandbox.requests("/listings/") == 1
    assert provider.stats().invalidations == 0


@with_adapter
def test_a_failed_token_request_after_a_401_is_raised(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    revoked = provider.token().value
    sandbox.revoke_tokens()
    sandbox.rotate_secret()
    with pytest.raises(clazar_auth.InvalidCredentialsError) as caught:
        library.one(provider, listings(sandbox))
    assert revoked not in str(caught.value)


@with_adapter
def test_many_at_once_with_a_revoked_token_share_one_token_request(
    library: Library, sandbox: Sandbox
) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    answers = library.together(provider, MANY, listings(sandbox))
    assert [answer.status for answer in answers] == [200] * MANY
    assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


# ---- Other hosts ----


@with_adapter
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_token_goes_to_no_other_host(library: Library, sandbox: Sandbox, host: str) -> None:
    with Loopback() as other:
        elsewhere = Call(other.url.replace("127.0.0.1", host))
        with pytest.raises(clazar_auth.ConfigurationError, match="allowed_hosts"):
            library.one(sandbox.provider(), elsewhere)
        assert other.seen == []
    assert sandbox.requests() == 0


@with_adapter
def test_the_token_does_not_go_over_plain_http(library: Library, sandbox: Sandbox) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="https"):
        library.one(sandbox.provider(), Call("http://api.clazar.io/listings/"))
    assert sandbox.requests() == 0


def redirected(sandbox: Sandbox, location: str, status: int = 302) -> Call:
    sandbox.answer_next(status, headers={"Location": location}, path="/buyers/")
    return Call(f"{sandbox.url}/buyers/")


def carries_a_token(headers: dict[str, str], provider: TokenProvider) -> bool:
    token = provider.token().value
    return "Authorization" in headers or any(token in value for value in headers.values())


@everywhere
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_elsewhere_goes_without_the_token(
    library: Library, sandbox: Sandbox, host: str, status: int
) -> None:
    provider = sandbox.provider()
    with Loopback() as other:
        call = redirected(sandbox, f"{other.url}/".replace("127.0.0.1", host), status)
        assert library.one(provider, call).status == 200
        [headers] = other.seen
        assert not carries_a_token(headers, provider)


@with_adapter
def test_a_redirect_elsewhere_after_a_retry_goes_without_the_token(
    library: Library, sandbox: Sandbox
) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.answer_next(401, path="/buyers/")
    with Loopback() as other:
        call = redirected(sandbox, other.url)
        assert library.one(provider, call).status == 200
        [headers] = other.seen
        assert not carries_a_token(headers, provider)
    assert sandbox.requests() == 2


@everywhere
def test_a_401_of_another_origin_is_no_reason_for_a_token_request(
    library: Library, sandbox: Sandbox
) -> None:
    with Sandbox() as other:
        call = redirected(sandbox, f"{other.url}/listings/")
        assert library.one(sandbox.provider(), call).status == 401
        assert other.requests("/listings/") == 1
    assert sandbox.requests() == 1


@with_adapter
def test_a_direct_call_after_a_redirect_elsewhere_is_refused(
    library: Library, sandbox: Sandbox
) -> None:
    with Loopback() as other:
        call = redirected(sandbox, other.url)
        with pytest.raises(clazar_auth.ConfigurationError, match="allowed_hosts"):
            library.each(sandbox.provider(), call, Call(other.url))
        assert len(other.seen) == 1


@everywhere
def test_a_redirect_within_the_origin_keeps_the_token(library: Library, sandbox: Sandbox) -> None:
    answer = library.one(sandbox.provider(), redirected(sandbox, "/listings/"))
    assert json.loads(answer.body)["count"] == 3
    assert sandbox.requests() == 1


@with_adapter
def test_a_revoked_token_is_replaced_after_a_redirect(library: Library, sandbox: Sandbox) -> None:
    sandbox.answer_next(401, path="/listings/")
    answer = library.one(sandbox.provider(), redirected(sandbox, "/listings/"))
    assert json.loads(answer.body)["count"] == 3
    assert sandbox.requests() == 2


@with_adapter
def test_a_redirect_after_a_retry(library: Library, sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    sandbox.answer_next(401, path="/buyers/")
    answer = library.one(provider, redirected(sandbox, "/listings/"))
    assert json.loads(answer.body)["count"] == 3
    assert sandbox.requests() == 2


# ---- Streams ----


class Relay(Loopback):
    """Takes and gives a body in two pieces, the second once the other side has had the first."""

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = RelayHandler
        self.got_first = threading.Event()
        self.gave_first = threading.Event()
        self.body = b""

    def pieces(self) -> Iterator[bytes]:
        yield b"first "
        assert self.got_first.wait(LONG), "the body is not sent piece by piece"
        yield b"second"


class RelayHandler(Handler):
    server: Relay

    def do_POST(self) -> None:
        self.server.seen.append(dict(self.headers))
        while size := int(self.rfile.readline(), 16):
            self.server.body += self.rfile.read(size)
            self.rfile.readline()
            self.server.got_first.set()
        self.rfile.readline()
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b"third ")
        assert self.server.gave_first.wait(LONG), "the answer is not given piece by piece"
        self.wfile.write(b"fourth")


@everywhere
def test_bodies_go_both_ways_piece_by_piece(library: Library, sandbox: Sandbox) -> None:
    with Relay() as server:
        provider = sandbox.provider(allowed_hosts=[f"127.0.0.1:{server.server_port}"])
        call = Call(server.url, "POST", server.pieces, lambda _: server.gave_first.set())
        assert library.one(provider, call) == (200, b"third fourth")
        assert server.body == b"first second"
        [headers] = server.seen
        assert headers["Authorization"] == provider.authorization()


# ---- What is no provider ----


@pytest.mark.parametrize("wrong", ["x", None, TokenProvider], ids=repr)
@pytest.mark.parametrize("make", [Auth, middleware])
def test_what_is_no_provider_is_refused_at_once(make: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"a TokenProvider, not {type(wrong).__name__}"):
        make(wrong)


@pytest.mark.parametrize("make", [Auth, middleware])
def test_stand_ins_for_a_provider_are_taken(make: Any) -> None:
    assert make(StaticProvider())
    assert make(create_autospec(TokenProvider, instance=True))


# ---- What is imported, and what is shown ----


def test_no_library_is_imported_before_it_is_used() -> None:
    code = """
import sys
before = set(sys.modules)
import clazar_auth
provider = clazar_auth.TokenProvider("id", "not-a-real-secret")
clazar_auth.integrations.httpx.Auth(provider)
clazar_auth.integrations.aiohttp.middleware(provider)
clazar_auth.integrations.requests
print(*{name.split(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["clazar_auth"]


def test_there_is_no_adapter_to_anything_else() -> None:
    with pytest.raises(AttributeError, match="no attribute 'urllib3'"):
        clazar_auth.integrations.urllib3  # noqa: B018


def test_no_token_is_shown(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    token = provider.token().value
    auth = Auth(provider)
    assert token not in repr(vars(auth)) + repr(auth) + repr(middleware(provider))
