"""One token for many processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import until

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox

COMMAND = Path(sysconfig.get_path("scripts")) / "clazar-auth"
ASK = "import clazar_auth; print(clazar_auth.TokenProvider.from_env().token().value)"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def store(
    sandbox_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    folder = tmp_path / "store"
    monkeypatch.setenv("CLAZAR_STORE", str(folder))
    return folder


def ask(code: str = ASK) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_no_folder_is_named_after_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = Path("redis://user:not-a-real-password@127.0.0.1:1/0")
    assert str(url).startswith("redis:/user"), "a Path has one slash"
    with pytest.raises(clazar_auth.ConfigurationError, match="not as a path") as caught:
        TokenProvider("id", "not-a-real-secret-0123456789abcdef", store=url)
    assert "password" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_eight_processes_at_once_make_one_request(sandbox: Sandbox, store: Path) -> None:
    sandbox.set_delay(0.2)
    processes = [ask() for _ in range(8)]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert all(process.returncode == 0 for process in processes)
    assert sandbox.requests() == 1


def test_eight_hosts_at_once_make_one_request(sandbox: Sandbox, redis_store: str) -> None:
    sandbox.set_delay(0.2)
    processes = [ask() for _ in range(8)]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert sandbox.requests() == 1
    status = json.loads(run("status", "--json").stdout)
    assert status["store"] == redis_store and status["fingerprint"]
    assert run("logout").returncode == 0
    assert json.loads(run("status", "--json").stdout)["fingerprint"] is None


def test_a_killed_holder_of_the_lease_holds_up_nobody(sandbox: Sandbox, redis_store: str) -> None:
    hasty = ASK.replace("from_env()", "from_env(timeout=1)")
    sandbox.set_delay(3600)
    holder = ask(hasty)
    until(lambda: sandbox.requests() == 1)
    holder.kill()
    holder.communicate(timeout=60)
    sandbox.set_delay(0)
    waiting = [ask(hasty) for _ in range(4)]
    answers = {process.communicate(timeout=60)[0] for process in waiting}
    assert len(answers) == 1 and all(process.returncode == 0 for process in waiting)
    assert sandbox.requests() == 2


def test_fifty_commands_make_one_request(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    loop = f"for i in $(seq 50); do {COMMAND} token; done"
    result = subprocess.run(["sh", "-c", loop], capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.split()) == 50
    assert len(set(result.stdout.split())) == 1
    assert sandbox.requests() == 1


def test_a_killed_holder_of_the_lock_holds_up_nobody(sandbox: Sandbox, store: Path) -> None:
    sandbox.set_delay(3600)
    holder = ask()
    until(lambda: sandbox.requests() == 1)
    waiting = [ask() for _ in range(2)]
    holder.kill()
    holder.communicate(timeout=60)
    sandbox.set_delay(0)
    for process in waiting:
        token, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and token.count(".") == 2
    assert sandbox.requests() == 2


def test_a_holder_that_takes_too_long_is_left_behind(sandbox: Sandbox, store: Path) -> None:
    sandbox.set_delay(3600)
    holder = ask()
    until(lambda: sandbox.requests() == 1)
    sandbox.set_delay(0)
    with TokenProvider.from_env(timeout=0.5) as provider:
        assert provider.token().value
        assert provider.stats().store_misses == 1
    assert sandbox.requests() == 2
    holder.kill()
    holder.communicate(timeout=60)


def test_a_forked_child_does_not_hold_the_lock(sandbox: Sandbox, store: Path) -> None:
    """The child outlives its parent, which was killed during its token request."""
    sandbox.set_delay(3600)
    code = (
        "import os, sys, threading, clazar_auth\n"
        "provider = clazar_auth.TokenProvider.from_env()\n"
        "threading.Thread(target=provider.token).start()\n"
        "sys.stdin.readline()\n"
        "child = os.fork()\n"
        "if child == 0: sys.stdin.read(); os._exit(0)\n"
        "print(child, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdin is not None and parent.stdout is not None
    until(lambda: sandbox.requests() == 1)
    parent.stdin.write("\n")
    parent.stdin.flush()
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(timeout=60)
    sandbox.set_delay(0)
    try:
        os.kill(child, 0)
        provider = TokenProvider.from_env(timeout=3600)
        assert provider.token(timeout=60).value
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdin.close()
        parent.stdout.close()


def others_may_read(file: Path) -> None:
    file.chmod(0o644)


def belongs_to_another(file: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 65_534, -1)


def is_a_link(file: Path) -> None:
    target = file.rename(file.with_suffix(".target"))
    file.symlink_to(target)


def is_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def is_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def is_a_gigabyte(file: Path) -> None:
    os.truncate(file, 1 << 30)


def is_cut(file: Path) -> None:
    os.truncate(file, 100)


def is_of_a_later_version(file: Path) -> None:
    blob = bytearray(file.read_bytes())
    blob[4] += 1
    file.write_bytes(blob)


@pytest.mark.parametrize(
    "spoil",
    [
        others_may_read,
        belongs_to_another,
        is_a_link,
        is_a_pipe,
        is_a_folder,
        is_a_gigabyte,
        is_cut,
        is_of_a_later_version,
    ],
)
def test_trouble_is_told_and_the_token_served(
    sandbox: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
) -> None:
    folder = tmp_path / "store"
    first = sandbox.provider(store=folder).token()
    (file,) = (path for path in folder.iterdir() if not path.suffix)
    blob = file.read_bytes()
    spoil(file)
    caplog.clear()
    with caplog.at_level("WARNING"):
        provider = sandbox.provider(store=folder)
        assert provider.token(timeout=10).value != first.value
    assert provider.stats().store_misses == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(file) in caplog.text
    target = file.with_suffix(".target")
    assert not target.exists() or target.read_bytes() == blob


def test_a_full_disk_costs_no_token(sandbox: Sandbox, store: Path) -> None:
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
{ASK}
"""
    for _ in range(2):
        token, _errors = ask(code).communicate(timeout=60)
        assert token.count(".") == 2
    assert sandbox.requests() == 2
    assert [path.name for path in store.iterdir() if path.suffix != ".lock"] == []


SLOW_DISK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int fd) { sleep(1); return (int)syscall(SYS_fsync, fd); }
"""


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD and SYS_fsync are Linux's")
def test_the_command_line_waits_for_a_slow_disk(
    sandbox: Sandbox, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is handed out before it is stored; a command that ended then would store none."""
    source, library = tmp_path / "slow_disk.c", tmp_path / "slow_disk.so"
    source.write_text(SLOW_DISK)
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    first, second = run("token"), run("token")
    assert (first.returncode, second.stdout) == (0, first.stdout)
    assert sandbox.requests() == 1


def test_a_process_killed_at_any_moment_spoils_nothing(sandbox: Sandbox, store: Path) -> None:
    code = """
import clazar_auth
provider = clazar_auth.TokenProvider.from_env()
print(flush=True)
while True:
    provider.refresh()
"""
    for _ in range(20):
        process = ask(code)
        assert process.stdout is not None
        process.stdout.readline()
        enough = sandbox.requests() + 5
        until(lambda: sandbox.requests() > enough)
        process.kill()
        process.communicate(timeout=60)
        with TokenProvider.from_env() as provider:
            assert provider.token().value
            assert provider.stats().store_hits == 1, "what was kept is whole"


def test_a_rotation_needs_no_restart(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "store"
    old = sandbox.client_secret
    secret.write_text(old)
    options: dict[str, Any] = {"auth_url": sandbox.auth_url, "store": folder}
    provider = TokenProvider(sandbox.client_id, client_secret_file=secret, **options)
    provider.token()
    (old_file,) = folder.iterdir()
    secret.write_text(sandbox.rotate_secret())
    fresh = provider.refresh()
    assert sandbox.requests() == 3
    # Besides, those who have the old one are told that it is refused.
    (file,) = {file for file in folder.iterdir() if file.suffix == ""} - {old_file}
    with TokenProvider(sandbox.client_id, old, **options) as late:
        with pytest.raises(clazar_auth.ConfigurationError):
            late.unseal(file.read_bytes())
    with TokenProvider(sandbox.client_id, client_secret_file=secret, **options) as another:
        assert another.token().value == fresh.value

    sandbox.rotate_secret()
    fallback = sandbox.client_secret
    with caplog.at_level("WARNING"):
        with TokenProvider(
            sandbox.client_id, old, client_secret_fallback=fallback, **options
        ) as provider:
            provider.refresh()
    assert "its fallback is used" in caplog.text
    assert old not in caplog.text and fallback not in caplog.text


def test_a_sealed_token_is_taken_by_another_provider(sandbox: Sandbox) -> None:
    giver, taker = sandbox.provider(), sandbox.provider()
    blob = giver.seal()
    assert isinstance(blob, bytes) and len(blob) > 1024
    taker.unseal(blob)
    assert taker.authorization() == giver.authorization()
    assert sandbox.requests() == 1
    with pytest.raises(clazar_auth.ConfigurationError, match="no valid token"):
        taker.unseal(blob[:-1])


def test_a_short_secret_cannot_seal(sandbox_environment: dict[str, str]) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="32 characters"):
        TokenProvider("id", "short", store="file")
    with pytest.raises(clazar_auth.ConfigurationError, match="the store"):
        TokenProvider("id", "short", store="nowhere")


def test_status_and_logout(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    assert json.loads(run("status", "--json").stdout)["fingerprint"] is None
    assert "token: none" in run("status").stdout
    token = run("token").stdout.strip()
    status = json.loads(run("status", "--json").stdout)
    assert 86_000 < status["expires_in"] <= 86_400
    assert Path(status["store"]).is_file()
    text = run("status").stdout
    assert status["fingerprint"] in text and token not in text
    assert run("token").stdout.strip() == token
    logout = run("logout")
    assert (logout.returncode, logout.stdout, logout.stderr) == (0, "", "")
    assert not Path(status["store"]).exists()
    assert run("logout").returncode == 0
    assert run("token").stdout.strip() != token
    assert sandbox.requests() == 2


def test_no_store(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    assert run("token", "--no-store").returncode == 0
    assert json.loads(run("status", "--json").stdout)["fingerprint"] is None
    assert run("token").returncode == 0
    assert sandbox.requests() == 2


def test_a_command_with_a_short_secret_goes_on(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", "short")
    result = run("token")
    assert result.returncode == 1
    assert "going on without a store" in result.stderr
    assert "refused the client id or secret" in result.stderr
