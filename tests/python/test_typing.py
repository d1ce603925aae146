"""The types that users' checkers see."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clazar_auth
from clazar_auth import _native

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PYRIGHT = ROOT / "target/node/node_modules/pyright/index.js"
STUB = Path(clazar_auth.__file__).with_name("_native.pyi")


def test_the_stubs_are_true() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "clazar_auth._native"]
    subprocess.run(command, check=True, cwd=ROOT, timeout=600)


def test_editors_find_the_docstrings_in_the_stub() -> None:
    command = [sys.executable, str(ROOT / "packaging/stubs.py"), str(STUB)]
    fresh = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert fresh == STUB.read_text(), "run `make stubs`"


def pyright() -> Path:
    if not PYRIGHT.exists():
        pytest.fail("pyright is not installed; run `make test-python`")
    return PYRIGHT


@pytest.mark.node
def test_all_that_is_public_has_a_type() -> None:
    command = ["node", str(pyright()), "--verifytypes", "clazar_auth", "--outputjson"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    # Outside the checkout, whose own folder would be taken for the package.
    done = subprocess.run(
        [*command, "--ignoreexternal"], capture_output=True, cwd=STUB.parent, env=environment
    )
    report = json.loads(done.stdout)["typeCompleteness"]
    assert report["completenessScore"] == 1, done.stdout.decode()
    assert report["exportedSymbolCounts"]["withKnownType"] > 50


Function = ast.FunctionDef | ast.AsyncFunctionDef


def stubs() -> Iterator[tuple[str, Function]]:
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, Function) and not is_property(member):
                    yield f"{node.name}.{member.name}", member


def is_property(function: Function) -> bool:
    return any(isinstance(it, ast.Name) and it.id == "property" for it in function.decorator_list)


def parameters(stub: Function) -> list[tuple[str, bool]]:
    """The names, and whether each has a default."""
    arguments = stub.args
    positional = arguments.posonlyargs + arguments.args
    needed = len(positional) - len(arguments.defaults)
    found = [(it.arg, index >= needed) for index, it in enumerate(positional)]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += [(it.arg, default is not None) for it, default in keywords]
    return found + ([(arguments.kwarg.arg, False)] if arguments.kwarg else [])


# Python gives none of these as it is.
WITHOUT_SIGNATURE = ("__aexit__", "__call__", "__eq__", "__exit__")


CASES = [pytest.param(*it, id=it[0]) for it in stubs() if not it[0].endswith(WITHOUT_SIGNATURE)]


@pytest.mark.parametrize(("name", "stub"), CASES)
def test_signatures_are_those_at_run_time(name: str, stub: Function) -> None:
    function: Any = _native
    for part in name.removesuffix(".__new__").split("."):
        function = getattr(function, part)
    signature = inspect.signature(function).parameters.values()
    at_run_time = [(it.name, it.default is not it.empty) for it in signature]
    ours = {("self", False), ("cls", False)}
    assert [it for it in at_run_time if it not in ours] == [
        it for it in parameters(stub) if it not in ours
    ]


def test_what_checkers_infer() -> None:
    importlib.import_module("typed").main()


PROGRAMS = [HERE / "typed.py", *sorted(HERE.glob("programs/*.py"))]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Programs of users, far from the checkout and its settings."""
    for program in PROGRAMS:
        shutil.copy(program, tmp_path)
    return tmp_path


def test_mypy_is_content_with_programs_of_users(programs: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", *(path.name for path in PROGRAMS)]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.node
def test_pyright_is_content_with_programs_of_users(programs: Path) -> None:
    settings = {"typeCheckingMode": "strict", "include": [path.name for path in PROGRAMS]}
    (programs / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(pyright()), "--pythonpath", sys.executable, "--warnings"]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
