"""The clazar-auth command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from helpers import LONG
from terminal import Terminal
from test_docs import BLOCK, PAGES, ROOT

import clazar_auth
from clazar_auth._cli.output import complain, say
from clazar_auth._variables import VARIABLES
from clazar_auth.testing import Sandbox

COMMAND = Path(sysconfig.get_path("scripts")) / "clazar-auth"
NAMES = ("token", "header", "status", "logout", "doctor", "sandbox", "demo", "completion", "help")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def test_token_and_header(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    token = run("token")
    assert (token.returncode, token.stderr) == (0, "")
    assert token.stdout.count(".") == 2
    header = run("header")
    assert header.stdout.startswith("Authorization: Bearer ey")
    as_json = json.loads(run("token", "--json").stdout)
    assert as_json["token_type"] == "Bearer"
    assert 86_000 < as_json["expires_in"] <= 86_400
    assert as_json["expires_at"].endswith("+00:00")
    assert json.loads(run("header", "--json").stdout)["Authorization"].startswith("Bearer ey")


def test_it_is_a_module_too(sandbox_environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "clazar_auth", "token"]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def test_a_refusal_is_one_line(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    sandbox.rotate_secret()
    result = run("token")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("clazar-auth: http://127.0.0.1:")
    assert result.stderr.count("\n") == 1
    assert "sandbox-secret" not in result.stderr


def test_an_error_from_the_store_says_so(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    sandbox.answer_next(401)
    told = run("token").stderr.removesuffix("\n")
    assert "logout" not in told
    for command in ("token", "header"):
        again = run(command)
        assert (again.returncode, again.stdout) == (1, "")
        pattern = (
            r" \(from the store, \d+ s ago\); the next token request is possible in \d+ s, or after "
            r"`clazar-auth logout`\n"
        )
        assert re.fullmatch(re.escape(told) + pattern, again.stderr), again.stderr
    assert sandbox.requests() == 1
    assert run("logout").returncode == 0
    assert run("token").returncode == 0


@pytest.mark.parametrize(
    ("answer", "status", "requests"),
    [({"status": 401}, 0, 2), ({"status": 429, "headers": {"Retry-After": "100"}}, 1, 1)],
)
def test_at_a_terminal_what_was_refused_for_good_is_asked_again(
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    answer: dict[str, Any],
    status: int,
    requests: int,
) -> None:
    sandbox.answer_next(**answer)
    assert run("token").returncode == 1
    with Terminal([str(COMMAND), "token"]) as terminal:
        assert terminal.end() == status
    assert ("the next token request is possible in" in terminal.shown) is (status == 1)
    assert sandbox.requests() == requests


def test_a_store_that_cannot_be_used_is_told_once(
    sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "clazar-auth").mkdir(mode=0o755)
    for command in ("token", "header"):
        result = run(command)
        assert result.returncode == 0 and result.stdout
        assert result.stderr.startswith("clazar-auth: going on without a store: ")
        assert str(tmp_path) in result.stderr and "set its mode to 0700" in result.stderr
        assert result.stderr.count("\n") == 1
    quiet = run("token", "--no-store")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    sandbox.rotate_secret()
    store, error = run("token").stderr.splitlines()
    assert "going on without a store" in store and "HTTP 401" in error


def test_credentials_and_places_as_options(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret, store = tmp_path / "secret", tmp_path / "store"
    secret.write_text(sandbox.client_secret)
    monkeypatch.setenv("CLAZAR_CLIENT_ID", sandbox.client_id)
    # All of these are overruled.
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", "another")
    monkeypatch.setenv("CLAZAR_AUTH_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("CLAZAR_STORE", str(tmp_path / "unused"))
    options = (
        *("--client-secret-file", str(secret), "--auth-url", sandbox.auth_url),
        *("--store", str(store)),
    )
    printed = [run(command, *options) for command in ("token", "header", "status", "doctor")]
    assert [(it.returncode, it.stderr) for it in printed] == [(0, "")] * 4
    token, header, status, doctor = (it.stdout for it in printed)
    assert header == f"Authorization: Bearer {token}"
    assert f"store: {store}" in status and "valid: " in status
    assert f"{secret}, the file that client_secret_file names" in doctor
    assert sandbox.requests() == 2, "of token and of doctor"
    assert run("logout", *options).returncode == 0
    assert "token: none" in run("status", *options).stdout
    assert not (tmp_path / "unused").exists()
    assert run("token", "--store", "file", "--no-store").returncode == 2


def test_a_store_that_was_asked_for_is_not_done_without(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET", "short")
    refused = run("status", "--store", "file")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    done = run("status")
    assert done.returncode == 0 and "going on without a store" in done.stderr


@pytest.mark.usefixtures("sandbox_environment")
@pytest.mark.parametrize("command", ["token", "header", "status", "logout", "doctor"])
def test_an_empty_store_is_refused(tmp_path: Path, command: str) -> None:
    """As in Python: what a script left empty is not taken for a store that nobody asked for."""
    result = run(command, "--store", "")
    assert result.returncode == 2
    assert "the store is none that is known" in result.stdout + result.stderr
    assert not (tmp_path / "clazar-auth").exists()


@pytest.mark.usefixtures("sandbox_environment")
def test_an_empty_variable_names_no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLAZAR_STORE", "")
    assert f"store: {tmp_path}" in run("status").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        *((), ("unknown",), ("token", "--secret", "x"), ("token",)),
        *(("completion",), ("completion", "sh")),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "clazar-auth" in result.stderr


def test_no_terminal_obeys_a_wrong_argument() -> None:
    for arguments in (["\x1b]0;title\a"], ["token", "\x1b[2J"]):
        stderr = run(*arguments).stderr
        assert all(line.isprintable() for line in stderr.splitlines()), repr(stderr)


def test_help_and_version() -> None:
    result = run("--help")
    assert result.returncode == 0
    for word in (*NAMES, *VARIABLES):
        assert word in result.stdout
    assert run().stderr == result.stdout
    assert run("--version").stdout == f"clazar-auth {clazar_auth.__version__}\n"
    assert run("help").stdout == result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command(name: str) -> None:
    result = run(name, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"clazar-auth {name}" in result.stdout.partition("examples:")[2]
    assert "exit status: 0 " in result.stdout
    assert run("help", name).stdout == result.stdout


def test_a_wrong_option_shows_the_usage_of_its_command() -> None:
    for arguments in (("token", "--jsn"), ("sandbox", "--port", "70000"), ("help", "tokn")):
        result = run(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(f"usage: clazar-auth {arguments[0]} [-h]")
        assert arguments[-1] in result.stderr.splitlines()[-1]


def run_into(output: int | IO[str], *arguments: str) -> tuple[int, str]:
    """The status and what came on standard error."""
    result = subprocess.run(
        [str(COMMAND), *arguments], stdout=output, stderr=subprocess.PIPE, text=True, timeout=60
    )
    return result.returncode, result.stderr


PRINTING = [("token",), ("header", "--json"), ("doctor",), ("--help",), ("--version",), ("help",)]
printing = pytest.mark.parametrize("arguments", PRINTING)


# Without a buffer it is another call that fails.
@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def buffering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


@printing
@pytest.mark.usefixtures("buffering", "sandbox_environment")
def test_a_reader_that_has_gone(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run_into(writer, *arguments) == (1, "")
    finally:
        os.close(writer)


@printing
@pytest.mark.usefixtures("buffering", "sandbox_environment")
def test_a_full_disk(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        status, error = run_into(full, *arguments)
    assert status == 1
    assert error.startswith("clazar-auth: the output cannot be written: No space left")
    assert error.count("\n") == 1


@pytest.mark.parametrize("name", ["token", "doctor", "help", "--version"])
def test_no_output_and_no_errors(sandbox_environment: dict[str, str], name: str) -> None:
    closed = subprocess.run(["sh", "-c", f"{COMMAND} {name} >&-"], capture_output=True, text=True)
    assert closed.returncode == 1
    assert closed.stderr.count("\n") == 1 and "cannot be written" in closed.stderr
    both = subprocess.run(["sh", "-c", f"{COMMAND} {name} >&- 2>&-"])
    assert both.returncode == 1


def test_an_error_without_standard_error_is_no_output() -> None:
    result = subprocess.run(["sh", "-c", f"{COMMAND} token 2>&-"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")


@pytest.mark.parametrize("arguments", ["", "unknown", "token --unknown"])
def test_wrong_usage_without_standard_error_is_no_output(arguments: str) -> None:
    for closed in ("2>&-", ">&- 2>&-"):
        command = ["sh", "-c", f"{COMMAND} {arguments} {closed}"]
        result = subprocess.run(command, capture_output=True, text=True)
        assert (result.returncode, result.stdout) == (2, ""), closed


def test_a_program_loads_none_of_it() -> None:
    code = "import clazar_auth, sys; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "clazar_auth._native" in loaded
    assert not [name for name in loaded if name.startswith("clazar_auth._cli")]
    assert "argparse" not in loaded and "clazar_auth.__main__" not in loaded


def test_demo() -> None:
    result = run("demo")
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 token request in all" in result.stdout
    assert "Bearer ey" not in result.stdout


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_sandbox(end: signal.Signals) -> None:
    command = [str(COMMAND), "sandbox", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            sandbox = json.loads(process.stdout.readline())
            clazar_auth.authenticate(
                sandbox["client_id"], sandbox["client_secret"], auth_url=sandbox["auth_url"]
            )
        finally:
            process.send_signal(end)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def test_sandbox_prints_what_a_shell_takes() -> None:
    with subprocess.Popen([COMMAND, "sandbox"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        shell = "".join([*lines, f"{COMMAND} token"])
        token = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60)
        process.terminate()
    assert token.stdout.count(".") == 2


def test_the_sandbox_leaves_no_token_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    result = run("sandbox", "--", sys.executable, "-m", "clazar_auth", "token")
    assert result.returncode == 0
    assert list((tmp_path / "clazar-auth").iterdir()) == []


def test_sandbox_runs_a_command() -> None:
    result = run("sandbox", "--", sys.executable, "-m", "clazar_auth", "token")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count(".") == 2
    assert run("sandbox", "--", "sh", "-c", "exit 7").returncode == 7
    missing = run("sandbox", "--", "/nonexistent/command")
    assert missing.returncode == 2
    assert "/nonexistent/command" in missing.stderr


def test_a_sandbox_as_it_is_wanted() -> None:
    with Sandbox() as other:
        taken = other.url.rpartition(":")[2]
        busy = run("sandbox", "--port", taken)
        assert busy.returncode == 1 and f"127.0.0.1:{taken}" in busy.stderr
    code = "import os; print(os.environ['CLAZAR_AUTH_URL'])"
    # Below those that port 0 gives; another program may have the first ones.
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        here = run("sandbox", "--port", str(port), "--", sys.executable, "-c", code)
        if here.returncode != 1:
            break
    assert here.stdout == f"http://127.0.0.1:{port}/authenticate/\n"
    token = [sys.executable, "-m", "clazar_auth", "token", "--json"]
    short = run("sandbox", "--lifetime", "90", "--", *token)
    assert 80 < json.loads(short.stdout)["expires_in"] <= 90
    began = time.monotonic()
    assert run("sandbox", "--delay", "1.5", "--", *token).returncode == 0
    assert time.monotonic() - began >= 1.5
    answered = run("sandbox", "--answer", "400", "--answer", "403", "--", *token)
    assert answered.returncode == 1 and "HTTP 400" in answered.stderr
    for wrong in (("--lifetime", "-1"), ("--delay", "x"), ("--answer", "70000"), ("--port", "y")):
        result = run("sandbox", *wrong)
        assert result.returncode == 2, wrong


CATCHING = """
import os, signal, sys

# So that none is lost between the line that is waited for and the wait.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print(os.environ.get("CLAZAR_STORE"), flush=True)
print("ended by", signal.sigwait({signal.SIGTERM}).name)
sys.exit(7)
"""


def test_the_sandbox_passes_signals_on(tmp_path: Path) -> None:
    command = [str(COMMAND), "sandbox", "--", sys.executable, "-c", CATCHING]
    environment = {**os.environ, "CLAZAR_STORE": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "None\n", "a sandbox's token is for no store"
        process.terminate()
        assert process.stdout.read() == "ended by SIGTERM\n"
        assert process.wait(60) == 7
    killed = run("sandbox", "--", "sh", "-c", "kill -KILL $$")
    assert killed.returncode == 128 + 9


@pytest.mark.parametrize("command", ["token", "status", "doctor"])
def test_no_terminal_obeys_what_is_printed(
    sandbox_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    monkeypatch.setenv("CLAZAR_STORE", str(tmp_path / "a\r\n\x1b]0;title\x07\u202eb"))
    output = run(command)
    if command != "token":
        assert r"a\r\n\u{1b}]0;title\u{7}\u{202e}b" in output.stdout
    monkeypatch.setenv("CLAZAR_CLIENT_SECRET_FILE", "/a\x1b[2Jb")
    monkeypatch.delenv("CLAZAR_CLIENT_SECRET")
    failed = run(command)
    assert failed.returncode == 2
    for text in (output.stdout, output.stderr, failed.stdout, failed.stderr):
        assert all(line.isprintable() for line in text.split("\n"))


def test_what_is_printed_is_made_printable_once_more(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2J\r\nb\u202e\x9b\u2028", mark="\x1b[31mfailed\x1b[0m ")
    complain("a\x1b[2J\r\nb")
    shown = capsys.readouterr()
    assert shown.out == "\x1b[31mfailed\x1b[0m " + r"a\x1b[2J\r\nb\u202e\x9b\u2028" + "\n"
    assert shown.err == r"clazar-auth: a\x1b[2J\r\nb" + "\n"


LISTINGS = """
import os, requests
from clazar_auth import TokenProvider

url = os.environ["CLAZAR_AUTH_URL"].replace("authenticate", "listings")
assert requests.get(url, auth=TokenProvider.from_env()).status_code == 200
"""


def test_the_sandbox_passes_the_proxy_of_the_machine_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    done = run("sandbox", "--", sys.executable, "-c", LISTINGS)
    assert done.returncode == 0, done.stderr


CURL = """#!/bin/sh
printf '%s\\n' "$@" > arguments
for argument; do
    case $argument in
        @-) cat ;;
        @*) cat "${argument#@}" ;;
    esac
done > headers
"""
"""Keeps its arguments, which all users of the machine see, and the headers that it is to send."""


def examples() -> Iterator[tuple[str, str]]:
    pages = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
    found = {name: "".join(it for _, it in BLOCK.findall(page)) for name, page in pages.items()}
    for name, text in {**found, "header --help": run("header", "--help").stdout}.items():
        for line in text.splitlines():
            if "curl" in line and "clazar-auth header" in line:
                yield name, line


def test_no_example_puts_the_token_into_the_process_list(
    sandbox_environment: dict[str, str], tmp_path: Path
) -> None:
    # The second is its name in PowerShell.
    for name in ("curl", "curl.exe"):
        (tmp_path / name).write_text(CURL)
        (tmp_path / name).chmod(0o755)
    path = [str(tmp_path), str(COMMAND.parent), os.environ["PATH"]]
    environment = {**sandbox_environment, "PATH": os.pathsep.join(path)}
    names = set()
    for name, line in examples():
        names.add(name)
        command = ["bash", "-euo", "pipefail", "-c", line]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=LONG)
        token = run("token").stdout.strip()
        is_sent = (tmp_path / "headers").read_text() == f"Authorization: Bearer {token}\n"
        is_seen = token in (tmp_path / "arguments").read_text()
        assert (is_sent, is_seen) == (True, False), line
    assert names == {"README.md", "docs/command-line.md", "docs/index.md", "header --help"}


def test_a_path_that_the_terminal_cannot_show(
    sandbox_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAZAR_STORE", str(tmp_path / "st\u00f6re"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = run("status")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "st\\xf6re" in shown.stdout
