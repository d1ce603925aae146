"""Prints a stub with the docstrings of the module that it is of, for editors: `stubs.py FILE`.

An editor reads the stub of a native module, and cannot look into the module itself.
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

from clazar_auth import _native

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.ClassDef | Function


def documented(stub: str) -> str:
    """The stub with the docstring of each class, function, method and property that is public."""
    lines = stub.split("\n")
    # From the end, so that what is put in moves nothing that is still to be looked at.
    for definition, thing in reversed(list(definitions(stub))):
        text = inspect.getdoc(thing)
        if text:
            put(lines, definition, text)
    return "\n".join(lines)


def definitions(stub: str) -> list[tuple[Definition, Any]]:
    found: list[tuple[Definition, Any]] = []
    for node in ast.parse(stub).body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            thing = getattr(_native, node.name)
            found.append((node, thing))
            for member in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(member, Function) and not member.name.startswith("_"):
                    found.append((member, getattr(thing, member.name)))
    return found


def put(lines: list[str], definition: Definition, text: str) -> None:
    """Put a docstring where the body begins: in the place of an older one, or of the `...`."""
    margin = " " * (definition.col_offset + 4)
    new = indent(f'"""{text}"""' if "\n" not in text else f'"""{text}\n"""', margin).split("\n")
    first = definition.body[0]
    assert first.end_lineno is not None
    if isinstance(definition, Function) and ast.get_docstring(definition) is None:
        line = lines[first.lineno - 1]
        lines[first.lineno - 1 : first.end_lineno] = [line[: first.col_offset].rstrip(), *new]
    elif ast.get_docstring(definition) is None:
        start = min([first.lineno, *(it.lineno for it in getattr(first, "decorator_list", ()))])
        lines[start - 1 : start - 1] = new
    else:
        lines[first.lineno - 1 : first.end_lineno] = new


if __name__ == "__main__":
    print(documented(Path(sys.argv[1]).read_text()), end="")
