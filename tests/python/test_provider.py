"""Tokens and providers, as a Python program meets them."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox


def test_authenticate(sandbox: Sandbox) -> None:
    token = clazar_auth.authenticate(
        sandbox.client_id, sandbox.client_secret, auth_url=sandbox.auth_url
    )
    assert token.value.count(".") == 2
    assert token.authorization == f"Bearer {token.value}"
    assert token.token_type == "Bearer"
    assert not token.expired
    assert 86_000 < token.expires_in <= 86_400
    assert token.expires_at.tzinfo is timezone.utc
    left = token.expires_at - datetime.now(timezone.utc)
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_a_token_is_kept(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    assert provider.peek() is None
    assert sandbox.requests() == 0
    token = provider.token()
    assert provider.token().value == token.value
    assert provider.authorization() == token.authorization
    assert provider.headers() == {"Authorization": token.authorization}
    peeked = provider.peek()
    assert peeked is not None and peeked.value == token.value
    assert sandbox.requests() == 1


def test_the_text_of_a_token_is_made_once(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    first = provider.authorization()
    assert provider.authorization() is first
    assert provider.headers()["Authorization"] is first
    provider.invalidate(provider.token())
    second = provider.authorization()
    assert second != first
    assert provider.refresh().authorization == provider.authorization() != second
    provider.close()
    with pytest.raises(clazar_auth.ClosedError):
        provider.authorization()


def test_sixty_four_threads_share_one_token_request(sandbox: Sandbox) -> None:
    sandbox.set_delay(0.2)
    provider = sandbox.provider()
    barrier = threading.Barrier(64)
    values = []

    def ask() -> None:
        barrier.wait()
        values.append(provider.authorization())

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) == 64
    assert len(set(values)) == 1
    assert sandbox.requests() == 1


def test_other_threads_run_during_a_wait(sandbox: Sandbox) -> None:
    sandbox.set_delay(3600)
    provider = sandbox.provider(timeout=3600)
    failures = []

    def ask() -> None:
        try:
            provider.token()
        except clazar_auth.ClosedError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    # With the GIL held in the wait, this loop would never see the request.
    while sandbox.requests() == 0:
        time.sleep(0)
    provider.close()
    thread.join()
    assert len(failures) == 1


def test_refresh_invalidate_and_close(sandbox: Sandbox) -> None:
    with sandbox.provider() as provider:
        first = provider.token()
        second = provider.refresh()
        assert second.value != first.value
        provider.invalidate(first)
        assert provider.token().value == second.value
        provider.invalidate(second)
        assert provider.peek() is None
    with pytest.raises(clazar_auth.ClosedError):
        provider.token()
    provider.close()


def test_one_caller_may_give_up(sandbox: Sandbox) -> None:
    sandbox.set_delay(0.3)
    provider = sandbox.provider()
    with pytest.raises(clazar_auth.AuthTimeoutError, match="goes on"):
        provider.token(timeout=0.001)
    provider.token(timeout=60)
    assert sandbox.requests() == 1


def test_from_env(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    assert TokenProvider.from_env().token().value
    assert sandbox.requests() == 1


def test_from_env_reads_a_secret_file(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "secret"
    file.write_text(sandbox.client_secret + "\n")
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET_FILE", str(file))
    both = r"\(CLAZAR_CLIENT_SECRET\).*\(CLAZAR_CLIENT_SECRET_FILE\) were both given"
    with pytest.raises(clazar_auth.ConfigurationError, match=both):
        TokenProvider.from_env()
    monkeypatch.delenv("CLAZAR_CLIENT_SECRET")
    TokenProvider.from_env().token()
    monkeypatch.delenv("CLAZAR_CLIENT_SECRET_FILE")
    TokenProvider.from_env(client_secret_file=file).token()
    TokenProvider(sandbox.client_id, client_secret_file=file, auth_url=sandbox.auth_url).token()
    assert sandbox.requests() == 3


def test_the_environment_is_read_once(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TokenProvider.from_env()
    monkeypatch.setenv("CLAZAR_AUTH_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", "changed")
    provider.token()
    provider.refresh()


def test_arguments_come_before_the_environment(sandbox_environment: dict[str, str]) -> None:
    provider = TokenProvider.from_env(auth_url="http://127.0.0.1:1/other/")
    assert "http://127.0.0.1:1/other/" in repr(provider)


def test_a_copy_is_the_provider_itself(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    assert copy.copy(provider) is copy.deepcopy(provider) is provider
    assert copy.deepcopy({"auth": provider})["auth"] is provider


def test_repr_shows_no_secret(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    token = provider.token()
    for text in (repr(provider), str(provider), repr(token), str(token), f"{token}"):
        assert token.value not in text
        assert sandbox.client_secret not in text
    assert "[redacted]" in repr(token)
    assert repr(provider) == (
        f"TokenProvider(client_id='sandbox-client', auth_url='{sandbox.auth_url}')"
    )


def test_a_token_does_not_pickle(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for secret in (provider, provider.token()):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(secret)


def test_tls_with_a_private_authority(tls_server: Callable[..., tuple[str, Path]]) -> None:
    url, ca_file = tls_server()
    token = clazar_auth.authenticate("id", "secret", auth_url=url, ca_file=ca_file, proxy="")
    assert token.value == "not-a-real-token"


def test_a_dropped_provider_frees_its_memory(sandbox: Sandbox) -> None:
    import weakref

    provider = sandbox.provider()
    provider.token()
    reference = weakref.ref(provider)
    del provider
    gc.collect()
    assert reference() is None


def test_the_sandbox_closes() -> None:
    sandbox = Sandbox(lifetime=5, delay=0)
    assert sandbox.provider().token().expires_in <= 5
    sandbox.close()
    sandbox.close()
    with pytest.raises(clazar_auth.ClosedError):
        _ = sandbox.url


@pytest.mark.parametrize(
    "hosts",
    [
        ["gw.example", "localhost:8080"],
        ("gw.example", "localhost:8080"),
        {"gw.example", "localhost:8080"},
        {"gw.example": 1, "localhost:8080": 2},
        (host for host in ("gw.example", "localhost:8080")),
    ],
)
def test_allowed_hosts_are_any_iterable(hosts: Iterable[str]) -> None:
    provider = TokenProvider("id", "secret", allowed_hosts=hosts)
    provider.check_url("https://gw.example/")
    provider.check_url("http://localhost:8080/")
    with pytest.raises(clazar_auth.ConfigurationError, match="allowed_hosts"):
        provider.check_url("https://api.clazar.io/")


@pytest.mark.parametrize(
    ("hosts", "why"),
    [
        ("api.clazar.io", "a str on its own"),
        (7, "not int"),
        ([b"api.clazar.io"], "not one of bytes"),
        (b"api.clazar.io", "not one of int"),
    ],
)
def test_allowed_hosts_of_another_type(hosts: Any, why: str) -> None:
    expected = r"a list of str, such as \['api.clazar.io'\], .*" + why
    with pytest.raises(TypeError, match=expected):
        TokenProvider("id", "secret", allowed_hosts=hosts)
    with pytest.raises(TypeError, match=expected):
        TokenProvider.from_env(allowed_hosts=hosts)


@pytest.mark.parametrize("host", ["*.clazar.io", ".clazar.io", ":0", "host:0"])
def test_an_allowed_host_is_one_host(host: str) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="the allowed host .* like api"):
        TokenProvider("id", "secret", allowed_hosts=[host])
