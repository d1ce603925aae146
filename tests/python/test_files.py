"""Files that are none, or that cannot be read now: told at once, in words that help."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import python

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox

# A hang or an endless file ends this process alone.
CONSTRUCT = """
import resource, sys, clazar_auth
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    clazar_auth.TokenProvider("id", **{"client_secret": "not-a-real-secret", **eval(sys.argv[1])})
except clazar_auth.ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize("argument", ["client_secret_file", "ca_file"])
@pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])
def test_what_is_no_file_is_refused_at_once(argument: str, kind: str, tmp_path: Path) -> None:
    path = {"pipe": tmp_path / "pipe", "zero": Path("/dev/zero"), "folder": tmp_path}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    options = {argument: str(path)}
    if argument == "client_secret_file":
        options["client_secret"] = None  # type: ignore[assignment]
    result = python(CONSTRUCT, arguments=[repr(options)])
    assert result.returncode == 0, result.stderr
    if kind != "folder":
        assert f"{path} is not a regular file;" in result.stdout
    elif argument == "client_secret_file":
        assert f"{path} is a folder;" in result.stdout
    else:
        assert f"{path} holds no certificate that can be read;" in result.stdout


def test_a_secret_in_the_place_of_a_path_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "not-a-real-secret-0123456789abcdef"
    with pytest.raises(clazar_auth.ConfigurationError) as caught:
        TokenProvider("id", client_secret_file=secret)
    assert "that client_secret_file names cannot be opened" in str(caught.value)
    assert secret not in repr(caught.value)
    monkeypatch.setenv("CLAZAR_CLIENT_ID", "id")
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET_FILE", secret)
    with pytest.raises(clazar_auth.ConfigurationError) as caught:
        TokenProvider.from_env()
    assert "that CLAZAR_CLIENT_SECRET_FILE names cannot be opened" in str(caught.value)
    assert "(No such file or directory)" in str(caught.value)
    assert secret not in repr(caught.value)


def test_a_pipe_that_takes_the_place_of_a_secret_file_is_not_waited_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(sandbox.client_secret)
    provider = TokenProvider(sandbox.client_id, client_secret_file=file, auth_url=sandbox.auth_url)
    file.unlink()
    os.mkfifo(file)
    sandbox.rotate_secret()
    with pytest.raises(clazar_auth.InvalidCredentialsError, match="is not a regular file"):
        provider.token(timeout=30)
