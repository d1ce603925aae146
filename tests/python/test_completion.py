"""The shells' completion. `CLAZAR_BLESS=1` writes the scripts anew."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import completions
import pytest
from helpers import LONG
from terminal import Terminal

from clazar_auth._cli.parser import parser

SCRIPTS = Path(sysconfig.get_path("scripts"))
FOLDER = Path(__file__).parents[2] / "python/clazar_auth/_cli/completion"
READY = "ready> "

SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
SETTINGS = {"bash": "set +o history", "zsh": "autoload -U compinit; compinit -u -D"}


@pytest.mark.parametrize("shell", [*SHELLS, "fish"])
def test_the_committed_script_is_up_to_date(shell: str) -> None:
    script = completions.script(parser(), shell)
    committed = FOLDER / f"clazar-auth.{shell}"
    if os.environ.get("CLAZAR_BLESS"):
        committed.write_text(script)
    assert committed.read_text() == script, "run `make completion`"


@contextmanager
def shell_with_completion(shell: str) -> Iterator[Terminal]:
    """A shell at its prompt, in which the command shows its words in place of running."""
    path = os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])
    with Terminal(SHELLS[shell], PATH=path) as terminal:
        for line in (
            SETTINGS[shell],
            f'eval "$(clazar-auth completion {shell})"',
            "clazar-auth() { printf '[%s]' \"$@\"; }",
            # Written so that its echo is not taken for the prompt.
            "PS1='read''y> '",
        ):
            terminal.press(f"{line}\r")
        terminal.until(READY)
        yield terminal


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("dem\t", "[demo]"),
        ("--vers\t", "[--version]"),
        ("doc\t--js\t--no\t", "[doctor][--json][--no-store]"),
        ("sandbox --js\t-- true", "[sandbox][--json][--][true]"),
        ("completion zs\t", "[completion][zsh]"),
        ("logout --js\t", "[logout][--js]"),
        ("status --sto\tfile --js\t", "[status][--store][file][--json]"),
        ("token --client-sec\t/dev/nul\t", "[token][--client-secret-file][/dev/null]"),
        ("help heade\t", "[help][header]"),
        ("sandbox --lif\t60", "[sandbox][--lifetime][60]"),
    ],
)
def test_a_shell_completes(shell: str, keys: str, words: str) -> None:
    with shell_with_completion(shell) as terminal:
        terminal.press(f"clazar-auth {keys}\r")
        terminal.until(words)


COMMANDS = (
    *("completion", "demo", "doctor", "header", "help"),
    *("logout", "sandbox", "status", "token"),
)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_lists_the_commands(shell: str) -> None:
    with shell_with_completion(shell) as terminal:
        terminal.press("clazar-auth \t\t")
        terminal.until_all(COMMANDS)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("dem", {"demo"}),
        ("--vers", {"--version"}),
        (
            "token --",
            {"--help", "--client-secret-file", "--auth-url", "--store", "--no-store", "--json"},
        ),
        ("logout --js", set()),
        ("completion ", {"bash", "zsh", "fish"}),
        ("help heade", {"header"}),
        ("token --client-secret-file /dev/nul", {"/dev/null"}),
        ("", {*COMMANDS}),
    ],
)
def test_fish_completes(typed: str, words: set[str]) -> None:
    code = f"clazar-auth completion fish | source; complete -C 'clazar-auth {typed}'"
    path = os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])
    done = subprocess.run(
        ["fish", "--no-config", "-c", code],
        capture_output=True,
        text=True,
        timeout=LONG,
        env={**os.environ, "PATH": path},
    )
    assert done.stderr == ""
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} == words
