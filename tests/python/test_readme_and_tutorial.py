"""The README and the tutorial, taken as a new user would: each command typed as it is written, in a
clean virtual environment outside the checkout.

Blocks marked `sh` are typed one after the other in one session of bash. A `text` block right after
one is what that prints, with `...` for what differs each time. A `python` block is saved to the file
that its first line names; those without a name are one program, which is run at the end. Only the
host of the API is changed, and the checkout that pip would build: it is given the wheel that is tested.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from test_docs import BLOCK, ROOT

from clazar_auth.testing import Sandbox

CHECKOUT = re.compile(r"(?<=^pip install )(\.|\.\./clazar-auth)$", re.MULTILINE)
END = "---- the end of a block ----"
NEW_ENVIRONMENT = "python3 -m venv .venv\n. .venv/bin/activate\n"


def read(page: str, sandbox: Sandbox) -> tuple[str, list[str | None]]:
    """What is typed, and what each block of commands prints, if the page says so."""
    typed, printed, unnamed = "set -eu\n", list[str | None](), ""
    previous = ""
    page = CHECKOUT.sub(wheel(), page.replace("https://api.clazar.io", sandbox.url))
    for language, block in BLOCK.findall(page):
        name = re.match(r"# (\w+\.py)\n", block)
        if language == "sh":
            typed += f"{block}echo '{END}'\n"
            printed.append(None)
        elif language == "python" and name:
            typed += f"cat > {name[1]} <<'EOF'\n{block}EOF\n"
        elif language == "python":
            unnamed += block
        elif language == "text" and previous == "sh":
            printed[-1] = block
        previous = language
    return f"{typed}cat > unnamed.py <<'EOF'\n{unnamed}EOF\npython unnamed.py\n", printed


def wheel() -> str:
    """The URL of the wheel that is tested."""
    origin = distribution("clazar-auth").read_text("direct_url.json")
    assert origin is not None, "clazar-auth is not installed from a wheel"
    return str(json.loads(origin)["url"])


def environment(sandbox: Sandbox) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": os.pathsep.join([f"{sys.base_prefix}/bin", os.environ["PATH"]]),
        "PYTHONPATH": "",
        "CLAZAR_AUTH_URL": sandbox.auth_url,
    }


def take(typed: str, given: str, folder: Path, environment: dict[str, str]) -> list[str]:
    """Type this, answer what is asked with what is given, and return what each block printed."""
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.split(f"{END}\n")[:-1]


def check(printed: list[str | None], got: list[str]) -> None:
    for want, block in zip(printed, got, strict=True):
        same = want is None or doctest.OutputChecker().check_output(want, block, doctest.ELLIPSIS)
        assert same, f"printed:\n{block}\ninstead of:\n{want}"


def test_readme(sandbox: Sandbox, sandbox_environment: dict[str, str], tmp_path: Path) -> None:
    typed, printed = read((ROOT / "README.md").read_text(), sandbox)
    check(printed, take(NEW_ENVIRONMENT + typed, "", tmp_path, environment(sandbox)))
    assert sandbox.requests("/listings/") > 0


def test_tutorial(sandbox: Sandbox, tmp_path: Path) -> None:
    typed, printed = read((ROOT / "docs/tutorial.md").read_text(), sandbox)
    given = f"{sandbox.client_id}\n{sandbox.client_secret}\n"
    check(printed, take(typed, given, tmp_path, environment(sandbox)))
    assert sandbox.requests("/listings/") == 3
    assert sandbox.requests() == 2, "with a store, two runs share a token"
