"""Writes the completion scripts: for zsh with shtab, for bash and fish shorter ones than shtab's, or any.

They are installed wherever the package is, so that each byte counts.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterator

import shtab

BASH = """\
_clazar_auth() {{
  local i words="{words}" options="{options}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
{cases}
      *) continue;;
    esac
    break
  done
  case $3 in
    {with_value}) words= options=;;
  esac
  [[ $2 == -* ]] && words=$options
  COMPREPLY=($(compgen -W "$words" -- "$2"))
}}
complete -o bashdefault -o default -F _clazar_auth clazar-auth
"""


def script(parser: ArgumentParser, shell: str) -> str:
    writers: dict[str, Callable[[ArgumentParser], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
    return writers[shell](parser)


def zsh(parser: ArgumentParser) -> str:
    """Without comments and empty lines."""
    lines = shtab.complete(parser, "zsh").splitlines()
    kept = [line for line in lines if not re.fullmatch(r"\s*(#(?!compdef).*)?", line)]
    return "\n".join([*kept, ""])


def bash(parser: ArgumentParser) -> str:
    """What it knows no words for are files, by `-o default`."""
    cases: dict[str, list[str]] = {}
    for name, command in commands_of(parser).choices.items():
        words = f'words="{choices(command)}" options="{names(command)}"'
        cases.setdefault(words, []).append(name)
    with_value = {
        name: None
        for command in commands_of(parser).choices.values()
        for action in command._actions
        for name in action.option_strings
        if action.nargs != 0
    }
    return BASH.format(
        words=" ".join(commands_of(parser).choices),
        options=names(parser),
        cases="\n".join(f"      {'|'.join(these)}) {words};;" for words, these in cases.items()),
        with_value="|".join(with_value),
    )


def fish(parser: ArgumentParser) -> str:
    at_first = "$c -n __fish_use_subcommand"
    commands = commands_of(parser)
    lines = ["set -l c complete -c clazar-auth", "$c -f"]
    lines += [f"{at_first} {words}" for words in fish_options(parser)]
    for command in commands._choices_actions:
        lines.append(f"{at_first} -a {command.dest} -d {quoted(command.help)}")
    having: dict[str, list[str]] = {}
    for name, parser_of_it in commands.choices.items():
        for words in fish_options(parser_of_it):
            having.setdefault(words, []).append(name)
    for words, these in having.items():
        lines.append(f"$c -n '__fish_seen_subcommand_from {' '.join(these)}' {words}")
    return "\n".join([*lines, ""])


def fish_options(parser: ArgumentParser) -> Iterator[str]:
    """What follows the condition, for each option and argument."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            continue
        names = [
            f"-{'l' if it.startswith('--') else 's'} {it.lstrip('-')}"
            for it in action.option_strings
        ]
        value = ["-r"] if names and action.nargs != 0 else []
        files = ["-F"] if hasattr(action, "complete") else []
        words = [f"-a {quoted(' '.join(action.choices))}"] if action.choices else []
        text = [f"-d {quoted(action.help)}"] if names else []
        yield " ".join([*names, *value, *files, *words, *text])


def commands_of(parser: ArgumentParser) -> _SubParsersAction[ArgumentParser]:
    (commands,) = (it for it in parser._actions if isinstance(it, _SubParsersAction))
    return commands


def names(parser: ArgumentParser) -> str:
    return " ".join(name for action in parser._actions for name in action.option_strings)


def choices(parser: ArgumentParser) -> str:
    return " ".join(word for action in parser._actions for word in action.choices or ())


def quoted(text: str | None) -> str:
    escaped = str(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
