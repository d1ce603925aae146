"""A client secret that comes from a function of the program's, such as a call to a secret manager."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import threading
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import LONG

import clazar_auth
from clazar_auth import ClazarAuthError, TokenProvider
from clazar_auth.testing import Sandbox

WRONG = "not-a-real-secret-0123456789abcdef"
Function = Callable[[], "str | Awaitable[str]"]


class Vault:
    """Gives the sandbox's secret; knows who asked."""

    def __init__(self, sandbox: Sandbox, kind: str = "sync") -> None:
        self.sandbox, self.kind = sandbox, kind
        self.threads: list[int] = []

    def function(self) -> Function:
        return self.secret if self.kind == "sync" else self.secret_async

    def secret(self) -> str:
        self.threads.append(threading.get_ident())
        return self.sandbox.client_secret

    async def secret_async(self) -> str:
        await asyncio.sleep(0)
        return self.secret()

    def provider(self, **options: Any) -> TokenProvider:
        options["auth_url"] = self.sandbox.auth_url
        return TokenProvider(self.sandbox.client_id, self.function(), **options)


@pytest.fixture(params=["sync", "async"])
def vault(request: pytest.FixtureRequest, sandbox: Sandbox) -> Vault:
    return Vault(sandbox, request.param)


def test_it_is_called_when_needed_and_when_the_secret_is_refused(vault: Vault) -> None:
    provider = vault.provider()
    assert vault.threads == []
    provider.token()
    provider.refresh()
    assert len(vault.threads) == 1
    vault.sandbox.rotate_secret()
    provider.refresh()
    assert len(vault.threads) == 2
    assert vault.sandbox.requests() == 4
    assert threading.get_ident() not in vault.threads


def test_it_is_called_on_no_event_loop(vault: Vault) -> None:
    turned = threading.Event()

    def blocking() -> str | Awaitable[str]:
        assert turned.wait(LONG)
        return vault.function()()

    async def main() -> bytes:
        provider = TokenProvider(vault.sandbox.client_id, blocking, auth_url=vault.sandbox.auth_url)
        task = asyncio.ensure_future(provider.token_async())
        while provider.stats().waited == 0:
            await asyncio.sleep(0)
        turned.set()
        await task
        vault.provider().unseal(provider.seal())
        return provider.seal()

    asyncio.run(asyncio.wait_for(main(), LONG))
    assert len(vault.threads) == 2
    assert threading.get_ident() not in vault.threads


class VaultError(Exception):
    pass


def failure(function: Function, **options: Any) -> ClazarAuthError:
    with pytest.raises(ClazarAuthError) as caught:
        TokenProvider("id", function, auth_url="http://127.0.0.1:9/", **options).token()
    return caught.value


def test_what_it_raises_is_wrapped_and_it_is_called_again(sandbox: Sandbox) -> None:
    answers = [sandbox.client_secret]
    raised: list[weakref.ref[VaultError]] = []

    def function() -> str:
        if raised:
            return answers[0]
        error = VaultError("the vault is sealed")
        raised.append(weakref.ref(error))
        raise error

    provider = TokenProvider(sandbox.client_id, function, auth_url=sandbox.auth_url)
    with pytest.raises(
        clazar_auth.TransportError, match="VaultError: the vault is sealed"
    ) as caught:
        provider.token()
    assert caught.value.retryable
    assert caught.value.retry_after is not None and caught.value.retry_after < 2
    assert raised[0]() is None, "its traceback holds the function's variables"
    assert sandbox.requests() == 0
    assert provider.refresh().value


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (WRONG.encode(), "what it returns must be str, not bytes"),
        (None, "must be str, not NoneType"),
        (WRONG + "\udcff", "lone surrogate"),
        (WRONG + "\n", "one line of text"),
        ("", "is empty"),
    ],
)
def test_what_is_no_secret_is_named_and_not_shown(answer: Any, words: str) -> None:
    error = failure(lambda: answer)
    assert words in str(error)
    assert WRONG not in repr(error) and error.__cause__ is None and error.__context__ is None


def test_endless_recursion_is_an_error() -> None:
    def function() -> str:
        return function()

    assert "RecursionError" in str(failure(function))


def test_one_that_does_not_return_is_named() -> None:
    go_on = threading.Event()

    def function() -> str:
        go_on.wait(LONG)
        return WRONG

    error = failure(function, timeout=0.1)
    go_on.set()
    assert isinstance(error, clazar_auth.AuthTimeoutError)
    assert "the function for the client secret did not return" in str(error)


def test_one_that_does_not_return_ends_what_needs_no_token(sandbox: Sandbox) -> None:
    go_on = threading.Event()

    def function() -> str:
        go_on.wait(LONG)
        return WRONG

    provider = sandbox.provider(client_secret=function, timeout=0.1)
    with pytest.raises(clazar_auth.AuthTimeoutError, match="did not return within 0.1 s"):
        provider.unseal(b"")
    go_on.set()


def test_nothing_of_what_it_raised_is_kept(sandbox: Sandbox) -> None:
    variables: list[weakref.ref[Text]] = []

    def function() -> str:
        text = Text(WRONG)
        variables.append(weakref.ref(text))
        try:
            raise KeyError(1)
        except KeyError:
            raise ValueError("sealed")  # noqa: B904

    async def asynchronous() -> str:
        return function()

    gc.disable()
    try:
        for kind in (function, asynchronous):
            with pytest.raises(clazar_auth.TransportError, match="ValueError: sealed"):
                sandbox.provider(client_secret=kind).token()
            assert variables.pop()() is None, kind
    finally:
        gc.enable()


def test_one_that_unseals_is_called_once(sandbox: Sandbox) -> None:
    blob = sandbox.provider().seal()
    called: list[int] = []

    def function() -> str:
        called.append(threading.active_count())
        provider.unseal(blob)
        return sandbox.client_secret

    provider = sandbox.provider(client_secret=function)
    with pytest.raises(
        clazar_auth.TransportError, match="this very thread is getting the client secret"
    ):
        provider.unseal(blob)
    assert len(called) == 1


def test_unseal_waits_for_it_and_answers_a_signal(sandbox: Sandbox) -> None:
    blob = sandbox.provider().seal()
    called, go_on = threading.Event(), threading.Event()

    def function() -> str:
        called.set()
        go_on.wait(LONG)
        return sandbox.client_secret

    def interrupt(*_: object) -> None:
        raise InterruptedError

    def send() -> None:
        called.wait(LONG)
        os.kill(os.getpid(), signal.SIGUSR1)

    provider = sandbox.provider(client_secret=function, timeout=3600)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        thread = threading.Thread(target=send)
        thread.start()
        with pytest.raises(InterruptedError):
            provider.unseal(blob)
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
        go_on.set()
    provider.unseal(blob)
    assert provider.ready


class Text(str):
    """One that can be watched."""


def test_what_it_returned_is_not_kept(sandbox: Sandbox) -> None:
    returned: list[weakref.ref[Text]] = []

    def function() -> str:
        text = Text(sandbox.client_secret)
        returned.append(weakref.ref(text))
        return text

    with TokenProvider(sandbox.client_id, function, auth_url=sandbox.auth_url) as provider:
        provider.token()
        assert returned[0]() is None


class Client:
    """As programs are written: the provider leads back to itself."""

    def __init__(self) -> None:
        self.provider = TokenProvider("id", self.secret)

    def secret(self) -> str:
        return WRONG


def test_a_provider_that_leads_back_to_itself_is_collected() -> None:
    client = weakref.ref(Client())
    gc.collect()
    assert client() is None


def test_closing_lets_go_of_it() -> None:
    client = Client()
    client.provider.close()
    gone, kept = weakref.ref(client), client.provider
    del client
    assert gone() is None
    with pytest.raises(clazar_auth.ClosedError):
        kept.token()


def test_processes_with_functions_share_a_store(vault: Vault, tmp_path: Path) -> None:
    values = {vault.provider(store=tmp_path / "store").token().value for _ in range(3)}
    assert len(values) == 1
    assert vault.sandbox.requests() == 1
    assert len(vault.threads) == 3


def test_a_short_secret_is_put_into_no_store(tmp_path: Path) -> None:
    error = failure(lambda: "short", store=tmp_path / "store")
    assert isinstance(error, clazar_auth.ConfigurationError)
    assert "fewer than 32 characters" in str(error)
    assert not any((tmp_path / "store").glob("*"))


def test_client_id_and_function_come_before_the_environment(
    vault: Vault, sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_CLIENT_ID", "another")
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", WRONG)
    client_id = vault.sandbox.client_id
    provider = TokenProvider.from_env(client_id=client_id, client_secret=vault.function())
    assert provider.token().value
    assert len(vault.threads) == 1
    with pytest.raises(TypeError, match="client_secret is or may hold a secret"):
        pickle.dumps(provider)


def test_one_from_the_environment_is_pickled_with_its_client_id(
    sandbox: Sandbox, sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAZAR_CLIENT_ID")
    provider = TokenProvider.from_env(client_id=sandbox.client_id)
    made: TokenProvider = pickle.loads(pickle.dumps(provider))
    assert repr(made) == repr(provider)
    assert made.token().value


def test_authenticate_takes_one_too(vault: Vault) -> None:
    url = vault.sandbox.auth_url
    token = clazar_auth.authenticate(vault.sandbox.client_id, vault.function(), auth_url=url)
    assert token.value
    assert threading.get_ident() not in vault.threads
