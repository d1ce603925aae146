"""What `clazar_auth.testing` gives to the tests of others."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import requests
import trio
from helpers import LONG, at_once, python
from test_docs import ROOT, blocks

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox, StaticProvider

HEADERS = {"Authorization": "Bearer not-a-real-token"}
PLUGIN = "clazar_auth.testing.pytest_plugin"


def test_a_static_token_costs_no_token_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/authenticate/"
        provider = StaticProvider("not-a-real-token", auth_url=url)
        assert isinstance(provider, TokenProvider)
        assert at_once(8, provider.headers) == [HEADERS] * 8
        assert provider.authorization() == HEADERS["Authorization"]
        token = provider.token()
        assert token.value == provider.refresh().value == "not-a-real-token"
        assert not token.expired and 86_000 < token.expires_in <= 86_400
        provider.invalidate(token)
        kept = provider.peek()
        assert kept is not None and kept.value == "not-a-real-token"
        assert asyncio.run(provider.headers_async()) == HEADERS
        assert trio.run(provider.headers_async) == HEADERS
        stats = provider.stats()
        assert (stats.waited, stats.refresh.succeeded, stats.invalidations) == (0, 0, 0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_static_provider_shows_its_token_in_no_repr() -> None:
    provider = StaticProvider("a-token-of-ours")
    assert "a-token-of-ours" not in f"{provider!r} {provider.token()!r} {provider.stats()!r}"


def test_a_static_provider_is_closed_as_any_other() -> None:
    with StaticProvider() as provider:
        assert provider.token().value == "not-a-real-token"
    for call in (provider.token, provider.refresh, provider.headers):
        with pytest.raises(clazar_auth.ClosedError):
            call()


def test_a_static_provider_checks_its_arguments() -> None:
    for value in ("", "two words", "token\r\nX-Injected: 1"):
        with pytest.raises(clazar_auth.ConfigurationError):
            StaticProvider(value)
    with pytest.raises(clazar_auth.ConfigurationError):
        StaticProvider(allowed_hosts=["https://api.clazar.io"])
    with pytest.raises(TypeError):
        StaticProvider(unknown=1)


@pytest.mark.parametrize("make", [StaticProvider, StaticProvider.from_env])
@pytest.mark.parametrize("name", ["client_secret_file", "client_secret_fallback"])
def test_a_static_provider_reads_no_credentials(
    make: Callable[..., StaticProvider], name: str
) -> None:
    for value in ("/nonexistent/secret", "two\nlines"):
        assert make(**{name: value}).headers() == HEADERS


def test_a_static_token_goes_to_allowed_hosts_only(sandbox: Sandbox) -> None:
    host = sandbox.url.removeprefix("http://")
    provider = StaticProvider(allowed_hosts=[host])
    # The sandbox did not issue this token, and the same one again would not help.
    assert requests.get(f"{sandbox.url}/listings/", auth=provider).status_code == 401
    assert sandbox.requests("/listings/") == 1
    with pytest.raises(clazar_auth.ConfigurationError):
        requests.get(f"{sandbox.url}/listings/", auth=StaticProvider())
    StaticProvider().check_url("https://api.clazar.io/listings/")


def pytest_on(file: Path, *options: str) -> str:
    """The output of a run of pytest that has to succeed, without this folder's conftest."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-q"]
    command += [file.name, *options]
    done = subprocess.run(
        command, cwd=file.parent, capture_output=True, text=True, timeout=2 * LONG
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_page_on_testing_is_a_file_of_tests(tmp_path: Path) -> None:
    page = blocks(ROOT / "docs/testing.md")["python"]
    file = tmp_path / "test_page.py"
    file.write_text("\n".join(page))
    count = sum(block.count("\ndef test_") + block.startswith("def test_") for block in page)
    assert count > 5
    assert f"{count} passed" in pytest_on(file)


FIXTURE = """
import os, pathlib, subprocess, sys
import clazar_auth
import requests

NAMES = ["CLAZAR_AUTH_URL", "CLAZAR_CLIENT_ID", "CLAZAR_CLIENT_SECRET"]
CODE = "import clazar_auth; print(clazar_auth.TokenProvider.from_env().token().fingerprint)"
seen = set()

def test_the_environment_names_the_sandbox(clazar_sandbox):
    token = clazar_auth.TokenProvider.from_env().token()
    child = subprocess.check_output([sys.executable, "-c", CODE], text=True)
    assert clazar_sandbox.requests() == 2
    assert child.strip() != token.fingerprint
    seen.add(clazar_sandbox.url)

def test_another_test_has_another(clazar_sandbox):
    assert clazar_sandbox.requests() == 0
    assert clazar_sandbox.url not in seen

def test_a_proxy_of_the_machine_is_passed_by(clazar_sandbox):
    provider = clazar_auth.TokenProvider.from_env()
    assert requests.get(clazar_sandbox.url + "/listings/", auth=provider).status_code == 200
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "b.example,a.example,127.0.0.1"

def test_the_environment_is_as_it_was():
    assert os.environ["NO_PROXY"] == "a.example"
    assert not any(name in os.environ for name in NAMES)
    assert os.environ["CLAZAR_CLIENT_SECRET_FILE"] == "/nonexistent/secret"
    assert os.environ["CLAZAR_STORE"] == "/nonexistent/folder"
"""


def test_the_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET_FILE", "/nonexistent/secret")
    monkeypatch.setenv("CLAZAR_STORE", "/nonexistent/folder")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "a.example")
    monkeypatch.setenv("no_proxy", "b.example")
    file = tmp_path / "test_fixture.py"
    file.write_text(FIXTURE)
    assert "4 passed" in pytest_on(file)
    help_text = pytest_on(file, "--fixtures")
    assert "clazar_sandbox" in help_text and "environment" in help_text


def test_the_plugin_is_registered() -> None:
    [plugin] = [each for each in entry_points(group="pytest11") if each.value == PLUGIN]
    assert plugin.name == "clazar_auth"


def test_the_plugin_starts_nothing() -> None:
    code = f"import os, {PLUGIN}; print(os.listdir('/proc/self/task') == [str(os.getpid())])"
    assert python(code, "-W", "error").stdout == "True\n"
