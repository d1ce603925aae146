"""The names on the page of the Python reference, for code hosts, which do not show what Sphinx adds.

`CLAZAR_BLESS=1` writes them anew.
"""

from __future__ import annotations

import inspect
import os
import re
from typing import Any

from test_docs import ROOT
from test_docstrings import PUBLIC

PAGE = ROOT / "docs/python.md"
TABLE = re.compile(r"(<!-- names of ([\w.]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
PREFIX = re.compile(r"^clazar_auth\.(errors\.)?")
MOST_PARAMETERS = 4
CLASSES = [thing for thing in PUBLIC.values() if inspect.isclass(thing)]
MODULES = [name for name, thing in PUBLIC.items() if inspect.ismodule(thing)]


def called(thing: Any) -> str:
    """The names of its parameters, the first few of them."""
    if not callable(thing) or (inspect.isclass(thing) and issubclass(thing, BaseException)):
        return ""
    try:
        names = [name for name in inspect.signature(thing).parameters if name != "self"]
    except ValueError:
        return "(...)"
    if inspect.isclass(thing) and not names:
        return ""
    more = ["..."] if len(names) > MOST_PARAMETERS else []
    return f"({', '.join(names[:MOST_PARAMETERS] + more)})"


def summary(thing: Any) -> str:
    """The first paragraph of its docstring."""
    text = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(text.split()).replace("|", r"\|").replace("``", "`")


def is_told_of_its_base(name: str) -> bool:
    owner, _, member = name.rpartition(".")
    of = PUBLIC[owner]
    if not inspect.isclass(of) or member in vars(of):
        return False
    return any(hasattr(base, member) for base in of.__mro__[1:] if base in CLASSES)


def names(module: str) -> dict[str, Any]:
    """What is public in a module and in none below it; exceptions have a module of their own."""
    below = tuple(f"{other}." for other in MODULES if other.startswith(f"{module}."))
    return {
        name: thing
        for name, thing in PUBLIC.items()
        if name.startswith(f"{module}.")
        and name not in MODULES
        and not name.startswith(below)
        and not (module == "clazar_auth" and name.split(".")[1].endswith("Error"))
        and not is_told_of_its_base(name)
    }


def table(module: str) -> str:
    """By name: a native class has its properties in another order each time."""
    rows = [
        f"| `{PREFIX.sub('', name)}{called(thing)}` | {summary(thing)} |"
        for name, thing in sorted(names(module).items(), key=lambda item: item[0])
    ]
    return "\n".join(["| | |", "| --- | --- |", *rows, ""])


def test_the_committed_names_are_up_to_date() -> None:
    page = PAGE.read_text()
    assert len(TABLE.findall(page)) == 8
    new = TABLE.sub(lambda found: f"{found[1]}{table(found[2])}", page)
    if os.environ.get("CLAZAR_BLESS"):
        PAGE.write_text(new)
    assert PAGE.read_text() == new, "run `make names`"
