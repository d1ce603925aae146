"""Whether the environment names the proxy and the authorities, and whom else the ca_file leaves."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox

SECRET = "not-a-real-secret-0123456789abcdef"
TlsServer = Callable[..., tuple[str, Path]]
Constructor = Callable[..., object]


@pytest.fixture
def no_proxy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens at port 1.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


def from_arguments(**options: Any) -> object:
    return TokenProvider("id", SECRET, **options).token()


def from_env(**options: Any) -> object:
    return TokenProvider.from_env(**options).token()


def authenticate(**options: Any) -> object:
    return clazar_auth.authenticate("id", SECRET, **options)


@pytest.fixture(params=[from_arguments, from_env, authenticate])
def get_token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Constructor:
    if request.param is from_env:
        monkeypatch.setenv("CLAZAR_CLIENT_ID", "id")
        monkeypatch.setenv("CLAZAR_CLIENT_SECRET", SECRET)
    constructor: Constructor = request.param
    return constructor


def test_with_trust_env_off_the_environment_names_no_proxy(
    get_token: Constructor, tls_server: TlsServer, no_proxy_answers: None
) -> None:
    auth_url, ca_file = tls_server()
    get_token(auth_url=auth_url, ca_file=ca_file, trust_env=False)
    for trust_env in (True, None):
        with pytest.raises(clazar_auth.TransportError, match="proxy"):
            get_token(auth_url=auth_url, ca_file=ca_file, trust_env=trust_env)


def test_with_trust_env_off_the_environment_names_no_authority(
    get_token: Constructor, tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth_url, ca_file = tls_server()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    get_token(auth_url=auth_url)
    with pytest.raises(clazar_auth.TlsError, match="no trusted authority"):
        get_token(auth_url=auth_url, trust_env=False)


def test_with_system_roots_off_the_ca_file_alone_is_trusted(
    get_token: Constructor, tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (auth_url, ours), (_, theirs) = tls_server(), tls_server()
    monkeypatch.setenv("SSL_CERT_FILE", str(ours))
    get_token(auth_url=auth_url, ca_file=theirs)
    get_token(auth_url=auth_url, ca_file=ours, system_roots=False)
    with pytest.raises(clazar_auth.TlsError, match="no trusted authority"):
        get_token(auth_url=auth_url, ca_file=theirs, system_roots=False)
    with pytest.raises(clazar_auth.ConfigurationError, match="system_roots is off"):
        get_token(auth_url=auth_url, system_roots=False)


def test_with_trust_env_off_the_file_store_needs_a_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="trust_env"):
        sandbox.provider(store="file", trust_env=False)
    sandbox.provider(store=tmp_path / "store", trust_env=False).token()


def test_a_pickled_provider_keeps_both(
    tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_proxy_answers: None
) -> None:
    auth_url, ca_file = tls_server()
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    options: dict[str, Any] = {"client_secret_file": secret_file, "auth_url": auth_url}
    provider = TokenProvider("id", **options, ca_file=ca_file, trust_env=False)
    pickle.loads(pickle.dumps(provider)).token()

    _, theirs = tls_server()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    provider = TokenProvider("id", **options, ca_file=theirs, proxy="", system_roots=False)
    with pytest.raises(clazar_auth.TlsError, match="no trusted authority"):
        pickle.loads(pickle.dumps(provider)).token()


def test_a_folder_that_is_not_there_is_passed_over_with_an_event(
    tls_server: TlsServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    auth_url, ca_file = tls_server()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "gone"))
    TokenProvider("id", SECRET, auth_url=auth_url, proxy="").token()
    told = [record.getMessage() for record in caplog.records if "gone" in record.getMessage()]
    assert len(told) == 1 and told[0].endswith("it is skipped"), caplog.text
