"""A sub-interpreter cannot have the package, and says so; the main interpreter goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from helpers import LONG
from matrix import VERSIONS, find

import clazar_auth

# Before 3.12 no interpreter is isolated from the others.
ISOLATED = VERSIONS[VERSIONS.index("3.12") :]

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])

CODE = f'''
import sys
sys.path.insert(0, {sys.argv[1]!r})
try:
    import clazar_auth
except ImportError as error:
    print(error, flush=True)
'''

def run_isolated():
    if sys.version_info >= (3, 14):
        from concurrent import interpreters
        interpreters.create().exec(CODE)
    elif sys.version_info >= (3, 13):
        import _interpreters
        assert _interpreters.exec(_interpreters.create(), CODE) is None
    else:
        import _xxsubinterpreters
        _xxsubinterpreters.run_string(_xxsubinterpreters.create(), CODE)

def exchange():
    from clazar_auth.testing import Sandbox
    with Sandbox() as sandbox, sandbox.provider() as provider:
        print(provider.authorization()[:6], flush=True)

if sys.argv[2] == "main first":
    exchange()
run_isolated()
exchange()
run_isolated()
"""
REFUSAL = "module clazar_auth._native does not support loading in subinterpreters"


@pytest.mark.parametrize("order", ["main first", "main second"])
@pytest.mark.parametrize("version", ISOLATED)
def test_a_sub_interpreter_says_that_it_cannot(version: str, order: str, tmp_path: Path) -> None:
    interpreter = find(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not on this machine")
    (tmp_path / "clazar_auth").symlink_to(Path(clazar_auth.__file__).parent)
    command = [interpreter, "-B", "-W", "error", "-c", PROGRAM, str(tmp_path), order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stderr) == (0, "")
    exchanged = ["Bearer"] if order == "main first" else []
    assert done.stdout.splitlines() == [*exchanged, REFUSAL, "Bearer", REFUSAL]
