"""The shells' completion. `CLAZAR_BLESS=1` writes the scripts anew."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import shtab
from terminal import Terminal

from clazar_auth._cli.parser import parser

SCRIPTS = Path(sysconfig.get_path("scripts"))
FOLDER = Path(__file__).parents[2] / "python/clazar_auth/_cli/completion"
READY = "ready> "

SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
SETTINGS = {"bash": "set +o history", "zsh": "autoload -U compinit; compinit -u -D"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_committed_script_is_up_to_date(shell: str) -> None:
    script = shtab.complete(parser(), shell) + "\n"
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
    ],
)
def test_a_shell_completes(shell: str, keys: str, words: str) -> None:
    with shell_with_completion(shell) as terminal:
        terminal.press(f"clazar-auth {keys}\r")
        terminal.until(words)


COMMANDS = ("completion", "demo", "doctor", "header", "logout", "sandbox", "status", "token")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_lists_the_commands(shell: str) -> None:
    with shell_with_completion(shell) as terminal:
        terminal.press("clazar-auth \t\t")
        terminal.until_all(COMMANDS)
