"""What Python's own tools expect of a class: inspect, mock, copy, pickle, sets and subclasses."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
from contextlib import aclosing
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import pytest
import trio

import clazar_auth
from clazar_auth import ClazarAuthError, TokenProvider
from clazar_auth.testing import Sandbox, StaticProvider

COROUTINES = ["token_async", "headers_async", "refresh_async", "aclose"]


@pytest.mark.parametrize("name", COROUTINES)
@pytest.mark.parametrize("owner", [TokenProvider, TokenProvider("id", "secret"), StaticProvider])
def test_coroutine_functions_are_known_as_such(name: str, owner: Any) -> None:
    assert inspect.iscoroutinefunction(getattr(owner, name))


def test_a_mock_of_a_provider_is_awaited() -> None:
    mock = create_autospec(TokenProvider, instance=True)
    for name in COROUTINES:
        assert isinstance(getattr(mock, name), AsyncMock)
    mock.headers_async.return_value = {"Authorization": "Bearer not-a-real-token"}
    assert asyncio.run(mock.headers_async(timeout=1)) == mock.headers_async.return_value
    with pytest.raises(TypeError, match="timout"):
        mock.headers_async(timout=1)


@pytest.mark.parametrize("run", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_a_provider_is_an_asynchronous_context_manager(sandbox: Sandbox, run: Any) -> None:
    async def main() -> None:
        async with sandbox.provider() as provider, aclosing(sandbox.provider()) as other:
            assert (await provider.refresh_async()) != (await other.token_async())
        for closed in (provider, other):
            with pytest.raises(clazar_auth.ClosedError):
                await closed.token_async()

    run(main())


class Own(TokenProvider):
    def headers(self, *, timeout: float | None = None) -> dict[str, str]:
        return {"X-Token": self.token(timeout=timeout).value}


class WithDefaults(TokenProvider):
    name: str

    def __new__(cls, *arguments: Any, **options: Any) -> WithDefaults:
        options.setdefault("allowed_hosts", ["api.example"])
        return super().__new__(cls, *arguments, **options)

    def __init__(self, *arguments: Any, name: str = "mine", **options: Any) -> None:
        self.name = name


@pytest.mark.usefixtures("sandbox_environment")
def test_from_env_makes_one_of_the_subclass(sandbox: Sandbox) -> None:
    own = Own.from_env()
    assert type(own) is Own
    assert own.headers() == {"X-Token": own.token().value}
    defaults = WithDefaults.from_env(timeout=5)
    assert (type(defaults), defaults.name) == (WithDefaults, "mine")
    defaults.check_url("https://api.example/")
    WithDefaults.from_env(allowed_hosts=["other.example"]).check_url("https://other.example/")
    assert type(TokenProvider.from_env()) is TokenProvider
    with pytest.raises(TypeError, match=r"from_env\(\) got an unexpected keyword argument 'x'"):
        Own.from_env(x=1)  # type: ignore[call-arg]


def test_a_static_provider_does_not_read_the_environment() -> None:
    provider = StaticProvider.from_env(allowed_hosts=["api.example"])
    assert type(provider) is StaticProvider
    assert provider.token() == provider.refresh() == asyncio.run(provider.refresh_async())
    provider.check_url("https://api.example/")


def test_tokens_are_equal_by_their_text(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    first, again = provider.token(), provider.token()
    assert first == again and hash(first) == hash(again) and first is not again
    other = provider.refresh()
    assert first != other and len({first, again, other}) == 2
    assert first != first.value and first != None  # noqa: E711
    unsealed = sandbox.provider()
    unsealed.unseal(provider.seal())
    assert unsealed.token() == other
    with pytest.raises(TypeError):
        _ = first < other  # type: ignore[operator]


def test_a_copy_of_a_token_is_the_token_itself(sandbox: Sandbox) -> None:
    token = sandbox.provider().token()
    assert copy.copy(token) is token
    assert copy.deepcopy({"token": token})["token"] is token


def test_stats_are_a_dictionary_and_pickle(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    provider.token()
    stats = provider.stats()
    assert pickle.loads(pickle.dumps(stats)) == copy.deepcopy(stats) == stats
    fields = stats._asdict()
    assert fields["empty"]._asdict() == {"succeeded": 1, "failed": 0}
    assert json.loads(json.dumps(fields))["waited"] == 1


def failure(sandbox: Sandbox, status: int, body: bytes, **headers: str) -> ClazarAuthError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    sandbox.answer_next(status, body, headers=names)
    with pytest.raises(ClazarAuthError) as caught:
        sandbox.provider().token()
    error = caught.value
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.code, copied.request_id) == (error.code, error.request_id)
    return error


def test_an_error_has_the_names_that_the_api_gave(sandbox: Sandbox) -> None:
    id = "8f14e45f-ceea-467f-a1d5-91b9b3a0c1de"
    error = failure(sandbox, 401, b'{"error": "access_denied"}', X_Request_Id=id)
    assert (error.code, error.request_id) == ("access_denied", id)
    assert f"(HTTP 401, error access_denied, request {id})" in str(error)
    error = failure(sandbox, 501, b"")
    assert (error.code, error.request_id) == (None, None)
    error = clazar_auth.ConfigurationError("text")
    assert (error.code, error.request_id) == (None, None)


def test_no_name_is_made_of_the_secret(sandbox: Sandbox) -> None:
    secret = sandbox.client_secret
    body = json.dumps({"error": secret}).encode()
    error = failure(sandbox, 400, body, X_Request_Id=secret.encode().hex())
    assert (error.code, error.request_id) == (None, None)
