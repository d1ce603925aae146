"""What is special to requests; see test_adapters.py for the rest."""

from __future__ import annotations

import copy
import gzip
import io
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import httpx2
import pytest
import requests
import urllib3
from helpers import LONG, Loopback, at_once, python

from clazar_auth import AccessToken, InvalidCredentialsError, TokenProvider
from clazar_auth.integrations.requests import Auth
from clazar_auth.testing import Sandbox

RECORD = {"cloud": "aws", "contract_id": "contracts-1", "dimension": "requests", "quantity": "1"}
RECORDS = {"request": [RECORD]}
ACCEPTED = [{**RECORD, "status": "success"}]
BODY = json.dumps(RECORDS).encode()


class Transport(requests.adapters.HTTPAdapter):
    """One of the program, which does something to each response."""

    def __init__(self, change: Callable[[requests.Response], None]) -> None:
        super().__init__()
        self._change = change

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        response = super().send(*arguments, **options)
        self._change(response)
        return response


def through(change: Callable[[requests.Response], None]) -> requests.Session:
    session = requests.Session()
    session.mount("http://", Transport(change))
    return session


def test_the_provider_is_an_auth_object(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    assert requests.get(f"{sandbox.url}/listings/", auth=provider).json()["count"] == 3
    with requests.Session() as session:
        session.auth = provider
        response = session.post(f"{sandbox.url}/metering/", json=RECORDS)
        assert response.json()["results"] == ACCEPTED
    assert sandbox.requests() == 1


def test_what_is_no_provider_is_refused() -> None:
    with pytest.raises(TypeError, match="a TokenProvider, not str"):
        Auth("x")  # type: ignore[arg-type]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_another_library_is_told_where_its_adapter_is(sandbox: Sandbox, library: Any) -> None:
    for auth in (sandbox.provider(), Auth(sandbox.provider())):
        with pytest.raises(
            TypeError, match=f"^{library.__name__} is not requests; see clazar_auth"
        ):
            library.get(f"{sandbox.url}/listings/", auth=auth)
    assert sandbox.requests("/listings/") == 0


def test_a_library_like_requests_needs_no_requests() -> None:
    code = """
import sys
from types import SimpleNamespace
from clazar_auth.testing import StaticProvider
hooks = {"pre_send": [], "response": []}
request = SimpleNamespace(url="http://127.0.0.1/", headers={}, hooks=hooks, body=None)
StaticProvider("not-a-real-token")(request)
print(request.headers["Authorization"], *request.hooks)
request.headers["Authorization"] = "Basic bm90LWEtcmVhbC1wYXNzd29yZA=="
response = SimpleNamespace(request=request, status_code=401)
assert request.hooks["response"][0](response) is response
assert "requests" not in sys.modules
"""
    done = python(code)
    assert (done.stdout, done.stderr) == ("Bearer not-a-real-token pre_send response\n", "")


def test_the_response_tells_of_the_retry(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    response = requests.post(f"{sandbox.url}/metering/", auth=provider, json=RECORDS)
    assert response.json()["results"] == ACCEPTED
    [refused] = response.history
    assert b"".join(refused.iter_content(4)) == b'{"error":"invalid_token"}'
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_token"})
    assert response.request.headers["Authorization"] == provider.authorization()


def test_a_failed_token_request_after_a_401_holds_no_connection(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.answer_next(401, bytes(4 << 20), path="/listings/")
    sandbox.rotate_secret()
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
        with pytest.raises(InvalidCredentialsError) as caught:
            session.get(f"{sandbox.url}/listings/", auth=provider)
        assert caught.tb, "it refers to the response, which so is not closed by itself"
        assert session.get(f"{sandbox.url}/listings/").status_code == 401


def test_a_refusal_that_is_compressed_is_dropped(sandbox: Sandbox) -> None:
    headers = {"Content-Encoding": "gzip"}
    sandbox.answer_next(401, gzip.compress(b"a reason"), headers=headers, path="/listings/")
    response = requests.get(f"{sandbox.url}/listings/", auth=sandbox.provider())
    assert response.status_code == 200
    [refused] = response.history
    assert (refused.status_code, refused.content) == (401, b"")


def test_a_refusal_that_is_long_is_dropped(sandbox: Sandbox) -> None:
    sandbox.answer_next(401, bytes(64 * 1024 + 1), path="/listings/")
    response = requests.get(f"{sandbox.url}/listings/", auth=sandbox.provider())
    assert [refused.content for refused in response.history] == [b""]


def test_a_refusal_that_a_transport_adapter_has_read_is_left_alone(sandbox: Sandbox) -> None:
    def read(response: requests.Response) -> None:
        assert response.content

    sandbox.answer_next(401, b"a reason", path="/listings/")
    with through(read) as session:
        response = session.get(f"{sandbox.url}/listings/", auth=sandbox.provider())
    assert response.status_code == 200
    assert [refused.content for refused in response.history] == [b"a reason"]


def test_a_hook_pickles_without_a_token(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    response = requests.get(f"{sandbox.url}/listings/", auth=provider)
    token = provider.token().value.encode()
    assert token in pickle.dumps(response), "SECURITY.md says so"
    del response.request.headers["Authorization"]
    pickled = pickle.dumps(response)
    assert token not in pickled
    restored = pickle.loads(pickled)
    assert restored.json()["count"] == 3
    assert send(restored.request) == 401, "it can be sent"


# ---- A prepared request ----


def prepared(provider: Any, url: str) -> requests.PreparedRequest:
    return requests.Request("GET", url, auth=provider).prepare()


def send(request: requests.PreparedRequest) -> int:
    with requests.Session() as session:
        return session.send(request).status_code


class Recording(TokenProvider):
    """Keeps the tokens that are to be taken out of use."""

    refused: list[str]

    def invalidate(self, token: AccessToken) -> None:
        self.refused.append(token.value)
        super().invalidate(token)


def test_a_request_that_is_sent_often_tells_of_each_refusal(sandbox: Sandbox) -> None:
    provider = Recording(sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url)
    provider.refused = []
    request = prepared(provider, f"{sandbox.url}/listings/")
    tokens = [provider.token().value]
    sandbox.revoke_tokens()
    assert send(request) == 200
    tokens.append(provider.token().value)
    sandbox.revoke_tokens()
    before = sandbox.requests("/listings/")
    assert send(request) == 401, "token requests for this reason are seldom"
    assert sandbox.requests("/listings/") == before + 1
    assert provider.refused == tokens


def test_a_request_that_was_authorized_often_is_sent_again_once(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    request = prepared(provider, f"{sandbox.url}/listings/")
    for _ in range(3):
        Auth(provider)(request)
    for _ in range(9):
        sandbox.answer_next(401, path="/listings/")
    assert send(request) == 401
    assert sandbox.requests("/listings/") == 2


def test_a_request_that_is_sent_twice_at_once_is_renewed_twice(sandbox: Sandbox) -> None:
    def send_once_more(response: requests.Response) -> None:
        if response.status_code == 401:
            assert send(request) == 200, "as another thread would, that is quicker"

    request = prepared(sandbox.provider(), f"{sandbox.url}/listings/")
    sandbox.revoke_tokens()
    with through(send_once_more) as session:
        assert session.send(request).status_code == 200
    assert sandbox.requests() == 2


def test_a_hook_that_raises_does_not_get_a_refusal_first(sandbox: Sandbox) -> None:
    def check(response: requests.Response, **_: object) -> None:
        response.raise_for_status()

    provider = sandbox.provider()
    request = requests.Request("GET", f"{sandbox.url}/listings/").prepare()
    request.register_hook("response", check)  # type: ignore[no-untyped-call]
    Auth(provider)(request)
    for _ in range(2):
        sandbox.answer_next(401, path="/listings/")
        assert send(request) == 200
        provider.refresh()


def test_a_hook_gets_what_comes_after_a_refusal(sandbox: Sandbox) -> None:
    statuses = []

    def note(response: requests.Response, **_: object) -> None:
        statuses.append(response.status_code)

    sandbox.answer_next(401, path="/listings/")
    request = requests.Request("GET", f"{sandbox.url}/listings/").prepare()
    request.register_hook("response", note)  # type: ignore[no-untyped-call]
    Auth(sandbox.provider())(request)
    assert [send(request), *statuses] == [200, 200]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, requests.PreparedRequest.copy])
def test_a_copy_is_renewed_as_well(sandbox: Sandbox, duplicate: Any) -> None:
    provider = sandbox.provider()
    request = prepared(provider, f"{sandbox.url}/listings/")
    duplicates = [duplicate(request) for _ in range(2)]
    sandbox.revoke_tokens()
    assert [send(one) for one in (request, *duplicates)] == [200] * 3
    assert sandbox.requests() == 2


def test_a_request_whose_url_the_program_has_changed_is_renewed(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    request = prepared(provider, f"{sandbox.url}/listings/")
    request.url = f"{sandbox.url}/listings/".replace("127.0.0.1", "localhost")
    sandbox.revoke_tokens()
    assert send(request) == 200
    assert provider.stats().invalidations == 1


def test_an_authorization_of_the_program_stays(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    request = prepared(provider, f"{sandbox.url}/listings/")
    request.headers["Authorization"] = "Basic bm90LWEtcmVhbC1wYXNzd29yZA=="
    assert send(request) == 401
    assert sandbox.requests("/listings/") == 1
    assert provider.stats().invalidations == 0


@pytest.mark.parametrize(
    "raw",
    [
        urllib3.HTTPResponse(io.BytesIO(b"a reason"), preload_content=False),
        io.BytesIO(b"a reason"),
        SimpleNamespace(connection=SimpleNamespace(sock=object()), close=lambda: None),
    ],
    ids=["without-a-connection", "like-a-file", "like-an-older-urllib3"],
)
def test_a_transport_of_the_program_need_not_have_a_socket(sandbox: Sandbox, raw: Any) -> None:
    def replace(response: requests.Response) -> None:
        if response.status_code == 401:
            response.raw.release_conn()
            response.raw = raw

    sandbox.answer_next(401, b"a reason", path="/listings/")
    with through(replace) as session:
        response = session.get(f"{sandbox.url}/listings/", auth=sandbox.provider())
    assert response.status_code == 200
    assert [refused.content for refused in response.history] == [b""]


def test_a_transport_of_the_program_need_not_name_its_connection(sandbox: Sandbox) -> None:
    def remove_connection(response: requests.Response) -> None:
        del response.connection

    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    with through(remove_connection) as session:
        for status in (401, 200):
            assert session.get(f"{sandbox.url}/listings/", auth=provider).status_code == status


def test_a_transport_of_the_program_need_not_keep_hooks(sandbox: Sandbox) -> None:
    def drop_hooks(response: requests.Response) -> None:
        response.request = response.request.copy()
        response.request.hooks = requests.hooks.default_hooks()

    sandbox.answer_next(401, path="/listings/")
    with through(drop_hooks) as session:
        response = session.get(f"{sandbox.url}/listings/", auth=sandbox.provider())
    assert response.status_code == 200


def test_a_fresh_token_is_not_sent_twice_after_a_redirect(sandbox: Sandbox) -> None:
    sandbox.answer_next(401, path="/buyers/")
    sandbox.answer_next(307, headers={"Location": "/listings/"}, path="/buyers/")
    sandbox.answer_next(401, path="/listings/")
    response = requests.get(f"{sandbox.url}/buyers/", auth=sandbox.provider())
    assert response.status_code == 401
    assert sandbox.requests("/listings/") == 1


# ---- Bodies ----

PREFIX = b"not a part of the body"


def bodies(folder: Path) -> Iterator[Any]:
    yield BODY
    yield BODY.decode()
    yield bytearray(BODY)
    yield memoryview(BODY)
    for file in (io.BytesIO(PREFIX + BODY), io.StringIO((PREFIX + BODY).decode())):
        file.seek(len(PREFIX))
        yield file
    (folder / "body").write_bytes(PREFIX + BODY)
    with open(folder / "body", "rb") as opened:
        opened.seek(len(PREFIX))
        yield opened


def test_the_whole_body_is_sent_again(sandbox: Sandbox, tmp_path: Path) -> None:
    for body in bodies(tmp_path):
        provider = sandbox.provider()
        provider.token()
        sandbox.revoke_tokens()
        before = sandbox.requests("/metering/")
        url = f"{sandbox.url}/metering/"
        response = requests.post(url, auth=provider, data=body, timeout=LONG)
        assert response.status_code == 200
        assert sandbox.received("/metering/")[before:] == [BODY] * 2, body


class NoTell(io.BytesIO):
    def tell(self) -> int:
        raise OSError("not seekable")


class NoSeek(io.BytesIO):
    def seek(self, *_: object) -> int:
        raise OSError("not seekable")


class Pipe(NoTell, NoSeek):
    """A file that goes one way."""


class Forward:
    """Like a file, as far as it needs be."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.read = self._file.read
        self.tell = self._file.tell

    def __iter__(self) -> Iterator[bytes]:
        return self._file


@pytest.mark.parametrize("make", [NoTell, NoSeek, Pipe, Forward])
def test_what_goes_one_way_is_not_sent_again(sandbox: Sandbox, make: Any) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    for status in (401, 200):
        response = requests.post(f"{sandbox.url}/metering/", auth=provider, data=make(BODY))
        assert response.status_code == status
        assert response.history == []
    assert sandbox.requests("/metering/") == 2


def test_what_was_closed_is_not_sent_again(sandbox: Sandbox) -> None:
    def close_body(_: requests.Response) -> None:
        body.close()

    body = io.BytesIO(BODY)
    sandbox.answer_next(401, path="/metering/")
    with through(close_body) as session:
        response = session.post(f"{sandbox.url}/metering/", auth=sandbox.provider(), data=body)
    assert response.status_code == 401
    assert sandbox.requests("/metering/") == 1


# ---- .netrc, which requests prefers to a token in the headers ----


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "machine {} login someone password not-a-real-password\n"
    (tmp_path / "netrc").write_text(entries.format("127.0.0.1") + entries.format("localhost"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def on_the_call(provider: Any, url: str) -> requests.Response:
    return requests.get(url, auth=provider)


def on_the_session(provider: Any, url: str) -> requests.Response:
    with requests.Session() as session:
        session.auth = provider
        return session.get(url)


either_way = pytest.mark.parametrize("get", [on_the_call, on_the_session])
Get = Callable[[Any, str], requests.Response]


@either_way
@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_replace_the_token(sandbox: Sandbox, get: Get) -> None:
    without = requests.get(f"{sandbox.url}/listings/")
    assert str(without.request.headers["Authorization"]).startswith("Basic "), "it is read"
    assert get(sandbox.provider(), f"{sandbox.url}/listings/").json()["count"] == 3
    assert sandbox.requests("/listings/") == 2


@either_way
@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_replace_the_token_after_a_redirect(sandbox: Sandbox, get: Get) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(302, headers={"Location": "/listings/"}, path="/buyers/")
    assert get(provider, f"{sandbox.url}/buyers/").json()["count"] == 3
    assert sandbox.requests() == 1, "nobody has refused the token"
    assert provider.stats().invalidations == 0


@pytest.mark.usefixtures("netrc")
def test_an_authorization_that_is_not_that_of_netrc_stays(sandbox: Sandbox) -> None:
    test_an_authorization_of_the_program_stays(sandbox)


@either_way
@pytest.mark.usefixtures("netrc")
def test_netrc_brings_no_token_to_another_origin(sandbox: Sandbox, get: Get) -> None:
    class Refusing(Loopback):
        def answer(self) -> tuple[int, dict[str, object]]:
            return 401, {}

    provider = sandbox.provider()
    with Refusing() as other:
        sandbox.answer_next(302, headers={"Location": other.url}, path="/buyers/")
        assert get(provider, f"{sandbox.url}/buyers/").status_code == 401
        [headers] = other.seen
        assert headers["Authorization"].startswith("Basic ")
    assert sandbox.requests() == 1


@either_way
@pytest.mark.usefixtures("netrc")
def test_netrc_does_not_bring_the_token_back_from_elsewhere(sandbox: Sandbox, get: Get) -> None:
    """The other host has chosen the URL."""
    with Sandbox() as other:
        location = {"Location": f"{sandbox.url}/listings/"}
        other.answer_next(302, headers=location, path="/buyers/")
        sandbox.answer_next(302, headers={"Location": f"{other.url}/buyers/"}, path="/buyers/")
        assert get(sandbox.provider(), f"{sandbox.url}/buyers/").status_code == 401
    assert sandbox.requests("/listings/") == 1


# ---- Many threads ----


def test_forced_token_requests_are_seldom(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    for expected in (200, 401, 401):
        sandbox.revoke_tokens()
        response = requests.get(f"{sandbox.url}/listings/", auth=provider)
        assert response.status_code == expected
        assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


def test_sixty_four_threads_with_a_revoked_token_make_one_token_request(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    all_refused = threading.Barrier(64)

    def wait_for_all(response: requests.Response) -> None:
        if response.status_code == 401:
            all_refused.wait(LONG)

    def work() -> int:
        with through(wait_for_all) as session:
            return session.get(f"{sandbox.url}/listings/", auth=provider, timeout=LONG).status_code

    assert at_once(64, work) == [200] * 64
    assert sandbox.requests() == 2
    assert sandbox.requests("/listings/") == 128
    assert provider.stats().invalidations == 1
