"""Providers pickle as the options they were made with, if none holds a secret."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest

from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox

SECRET = "not-a-real-secret-0123456789abcdef"


def test_one_from_the_environment(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    provider = TokenProvider.from_env(timeout=3, allowed_hosts=["api.example"])
    pickled = pickle.dumps(provider)
    assert sandbox.client_secret.encode() not in pickled
    made: TokenProvider = pickle.loads(pickled)
    made.check_url("https://api.example/")
    assert made.token().value != provider.token().value, "two providers, two token requests"
    assert sandbox.requests() == 2


def test_one_from_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(sandbox.client_secret)
    options: dict[str, Any] = {"auth_url": sandbox.auth_url, "store": str(tmp_path / "store")}
    provider = TokenProvider(sandbox.client_id, client_secret_file=file, **options)
    pickled = pickle.dumps(provider)
    assert sandbox.client_secret.encode() not in pickled
    made = pickle.loads(pickled)
    assert repr(made) == repr(provider)
    assert made.token().value == provider.token().value, "they share a store"


def value(provider: TokenProvider) -> str:
    return provider.token().value


def test_a_spawned_process_gets_it(
    sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path: Path
) -> None:
    provider = TokenProvider.from_env(store=tmp_path / "store")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(value, (provider,)) == provider.token().value
    assert sandbox.requests() == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"client_secret": SECRET}, "client_secret"),
        ({"client_secret_fallback": SECRET}, "fallback"),
        ({"proxy": "http://user:not-a-real-password@127.0.0.1:3128"}, "proxy"),
        ({"proxy": "user:not-a-real-password@127.0.0.1:3128"}, "proxy"),
        (
            {"proxy": "http://[::1]:1/?key=not-a-real-key", "auth_url": "http://127.0.0.1:1/"},
            "proxy",
        ),
        ({"auth_url": "https://api.example/authenticate/?key=not-a-real-key"}, "auth_url"),
        ({"auth_url": "https://api.example/authenticate/#not-a-real-key"}, "auth_url"),
        ({"store": "redis://:not-a-real-password@127.0.0.1:6379/0"}, "store"),
    ],
)
def test_a_secret_is_not_pickled(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    if "client_secret" not in options:
        options = {"client_secret_file": file, **options}
    with pytest.raises(TypeError, match=f"not pickled, since .*{reason}") as raised:
        pickle.dumps(TokenProvider("id", **options))
    assert "not-a-real" not in str(raised.value)


def test_the_query_of_the_environment_is_read_again(
    sandbox: Sandbox, sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_AUTH_URL", f"{sandbox.auth_url}?key=not-a-real-key")
    pickled = pickle.dumps(TokenProvider.from_env())
    assert b"not-a-real-key" not in pickled
    assert pickle.loads(pickled).token().expires_in > 0


class Subclass(TokenProvider):
    pass


def test_a_subclass_is_not_pickled_as_its_base(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    with pytest.raises(TypeError, match="a subclass"):
        pickle.dumps(Subclass("id", client_secret_file=file))
