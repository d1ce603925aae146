"""A sub-interpreter cannot have the package, and says so; the main interpreter goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from helpers import LONG
from matrix import REQUIRED, WELCOME, find

import clazar_auth

VERSIONS = [*REQUIRED, *WELCOME]
# Before 3.12 no interpreter is isolated from the others.
ISOLATED = VERSIONS[VERSIONS.index("3.12") :]
ONE_ONLY = "clazar_auth works in one interpreter of a process, and another one has imported it; "
ONE_ONLY += "import it in that one only"

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

def request_token():
    from clazar_auth.testing import Sandbox
    with Sandbox() as sandbox, sandbox.provider() as provider:
        print(provider.authorization()[:6], flush=True)

if sys.argv[2] == "main first":
    request_token()
run_isolated()
request_token()
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
    got_one = ["Bearer"] if order == "main first" else []
    assert done.stdout.splitlines() == [*got_one, REFUSAL, "Bearer", REFUSAL]


# Such interpreters are those of mod_wsgi and uWSGI.
NOT_ISOLATED = """
import atexit, sys
CODE = f'''
import sys
sys.path.insert(0, {sys.argv[1]!r})
try:
    from clazar_auth.testing import Sandbox
    with Sandbox() as sandbox, sandbox.provider() as provider:
        print(provider.authorization()[:6], flush=True)
except ImportError as error:
    print(error, flush=True)
'''

def create_and_run():
    if sys.version_info >= (3, 13):
        import _interpreters
        interpreter = _interpreters.create("legacy")
        assert _interpreters.exec(interpreter, CODE) is None
        # Python 3.14 warns of one that is left at the end.
        atexit.register(_interpreters.destroy, interpreter)
        return
    import _xxsubinterpreters
    interpreter = _xxsubinterpreters.create(isolated=False)
    _xxsubinterpreters.run_string(interpreter, CODE)

if sys.argv[2] == "main first":
    exec(CODE)
create_and_run()
create_and_run()
exec(CODE)
"""


@pytest.mark.parametrize("order", ["main first", "main last"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_interpreter_has_it_and_others_are_told(
    version: str, order: str, tmp_path: Path
) -> None:
    interpreter = find(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not on this machine")
    (tmp_path / "clazar_auth").symlink_to(Path(clazar_auth.__file__).parent)
    command = [interpreter, "-B", "-W", "error", "-c", NOT_ISOLATED, str(tmp_path), order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stderr) == (0, "")
    main_first = ["Bearer", ONE_ONLY, ONE_ONLY, "Bearer"]
    main_last = ["Bearer", ONE_ONLY, ONE_ONLY]
    assert done.stdout.splitlines() == (main_first if order == "main first" else main_last)
