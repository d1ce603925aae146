"""The provider as ``auth=`` of requests."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from helpers import Loopback, at_once

import clazar_auth
from clazar_auth.testing import Sandbox

RECORDS = {"request": [{"dimension": "requests", "quantity": 1}]}
BODY = json.dumps(RECORDS).encode()


def test_the_provider_is_an_auth_object(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for _ in range(2):
        response = requests.get(f"{sandbox.url}/listings/", auth=provider)
        assert response.status_code == 200
        assert response.json()["count"] == 3
    with requests.Session() as session:
        session.auth = provider
        response = session.post(f"{sandbox.url}/metering/", json=RECORDS)
        assert response.json()["results"] == RECORDS["request"]
    assert sandbox.requests() == 1
    assert sandbox.requests("/listings/") == 2


def test_the_token_goes_to_no_other_host(sandbox: Sandbox) -> None:
    provider = sandbox.provider(allowed_hosts=["api.clazar.io"])
    with pytest.raises(clazar_auth.ConfigurationError, match="allowed_hosts"):
        requests.get(f"{sandbox.url}/listings/", auth=provider)
    assert sandbox.requests() == sandbox.requests("/listings/") == 0


def test_a_redirect_elsewhere_goes_without_the_token(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        location = f"{other.url}/listings/".replace("127.0.0.1", "localhost")
        sandbox.answer_next(302, headers={"Location": location}, path="/buyers/")
        response = requests.get(f"{sandbox.url}/buyers/", auth=sandbox.provider())
        assert response.status_code == 401
        assert other.requests("/listings/") == 1
    assert sandbox.requests() == 1, "the 401 of another origin is no reason for an exchange"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("revoked", [False, True], ids=["first", "retry"])
def test_another_origin_sees_no_token(sandbox: Sandbox, host: str, revoked: bool) -> None:
    provider = sandbox.provider()
    provider.token()
    with Loopback() as other:
        if revoked:
            sandbox.answer_next(401, path="/buyers/")
        location = f"{other.url}/".replace("127.0.0.1", host)
        sandbox.answer_next(307, headers={"Location": location}, path="/buyers/")
        assert requests.get(f"{sandbox.url}/buyers/", auth=provider).status_code == 200
        [headers] = other.seen
        assert "Authorization" not in headers
        assert not any(provider.token().value in value for value in headers.values())


def test_a_redirect_within_the_origin_keeps_the_token(sandbox: Sandbox) -> None:
    sandbox.answer_next(302, headers={"Location": "/listings/"}, path="/buyers/")
    response = requests.get(f"{sandbox.url}/buyers/", auth=sandbox.provider())
    assert response.json()["count"] == 3
    assert sandbox.requests() == 1


def test_a_redirect_after_a_retry(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    sandbox.answer_next(401, path="/buyers/")
    sandbox.answer_next(302, headers={"Location": "/listings/"}, path="/buyers/")
    response = requests.get(f"{sandbox.url}/buyers/", auth=provider)
    assert response.json()["count"] == 3
    assert sandbox.requests() == 2


@pytest.mark.parametrize("path", ["/listings/", "/metering/"])
def test_a_revoked_token_is_replaced(sandbox: Sandbox, path: str) -> None:
    provider = sandbox.provider()
    revoked = provider.token()
    sandbox.revoke_tokens()
    if path == "/metering/":
        response = requests.post(sandbox.url + path, auth=provider, json=RECORDS)
        assert response.json()["results"] == RECORDS["request"]
    else:
        response = requests.get(sandbox.url + path, auth=provider)
    assert response.status_code == 200
    assert [earlier.status_code for earlier in response.history] == [401]
    assert response.request.headers["Authorization"] == provider.authorization()
    assert provider.token().value != revoked.value
    assert sandbox.requests(path) == sandbox.requests() == 2


def test_a_session_goes_on_after_a_retry(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.auth = provider = sandbox.provider()
        provider.token()
        sandbox.revoke_tokens()
        statuses = [session.get(f"{sandbox.url}/listings/").status_code for _ in range(3)]
    assert statuses == [200] * 3
    assert sandbox.requests("/listings/") == 4
    assert sandbox.requests() == 2


def test_a_stream_is_retried(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    with requests.get(f"{sandbox.url}/listings/", auth=provider, stream=True) as response:
        assert response.json()["count"] == 3


PREFIX = b"not a part of the body"


def bodies(folder: Path) -> Iterator[Any]:
    yield BODY
    yield BODY.decode()
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
        response = requests.post(f"{sandbox.url}/metering/", auth=provider, data=body)
        assert response.status_code == 200
        assert response.json()["results"] == RECORDS["request"], body
        assert sandbox.requests("/metering/") == before + 2


def pieces() -> Iterator[bytes]:
    yield BODY[:10]
    yield BODY[10:]


class Pipe(io.BytesIO):
    """A file that goes one way."""

    def tell(self) -> int:
        raise OSError("not seekable")

    def seek(self, *_: object) -> int:
        raise OSError("not seekable")


@pytest.mark.parametrize("body", [pieces, lambda: Pipe(BODY)], ids=["generator", "pipe"])
def test_a_body_that_is_gone_is_not_sent_again(sandbox: Sandbox, body: Any) -> None:
    provider = sandbox.provider()
    url = f"{sandbox.url}/metering/"
    response = requests.post(url, auth=provider, data=body())
    assert response.json()["results"] == RECORDS["request"]
    sandbox.revoke_tokens()
    response = requests.post(url, auth=provider, data=body())
    assert response.status_code == 401
    assert response.history == []
    assert sandbox.requests("/metering/") == 2


def test_a_401_for_ever_is_returned_after_one_retry(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for _ in range(10):
        sandbox.answer_next(401, b"for ever", path="/listings/")
    response = requests.get(f"{sandbox.url}/listings/", auth=provider)
    assert (response.status_code, response.content) == (401, b"for ever")
    assert sandbox.requests("/listings/") == 2
    assert sandbox.requests() == 2
    assert requests.get(f"{sandbox.url}/listings/", auth=provider).status_code == 401
    assert sandbox.requests("/listings/") == 3
    assert sandbox.requests() == 2


def test_forced_exchanges_are_seldom(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    for expected in (200, 401, 401):
        sandbox.revoke_tokens()
        response = requests.get(f"{sandbox.url}/listings/", auth=provider)
        assert response.status_code == expected
        assert sandbox.requests() == 2
    assert provider.stats().invalidations == 1


def test_a_403_is_returned_as_it_is(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(403, path="/listings/")
    assert requests.get(f"{sandbox.url}/listings/", auth=provider).status_code == 403
    assert sandbox.requests() == sandbox.requests("/listings/") == 1
    assert provider.stats().invalidations == 0


def test_a_failed_exchange_after_a_401_is_raised(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    sandbox.rotate_secret()
    with pytest.raises(clazar_auth.InvalidCredentialsError):
        requests.get(f"{sandbox.url}/listings/", auth=provider)


def test_sixty_four_threads_with_a_revoked_token_make_one_exchange(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    sandbox.revoke_tokens()
    all_refused = threading.Barrier(64)

    class Adapter(requests.adapters.HTTPAdapter):
        refused = False

        def send(self, *arguments: Any, **options: Any) -> requests.Response:
            response = super().send(*arguments, **options)
            if not self.refused:
                self.refused = True
                assert response.status_code == 401
                all_refused.wait(60)
            return response

    def work() -> int:
        with requests.Session() as session:
            session.mount("http://", Adapter())
            return session.get(f"{sandbox.url}/listings/", auth=provider, timeout=60).status_code

    assert at_once(64, work) == [200] * 64
    assert sandbox.requests() == 2
    assert sandbox.requests("/listings/") == 128
    assert provider.stats().invalidations == 1
