"""The package as it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import clazar_auth

ROOT = Path(__file__).parents[2]
PACKAGE = Path(clazar_auth.__file__).parent


# A bare start has no site-packages.
CODE_PATH = f"import sys; sys.path.append({str(PACKAGE.parent)!r}); "


def native() -> str:
    spec = importlib.util.find_spec("clazar_auth._native")
    assert spec is not None and spec.origin is not None
    return spec.origin


@pytest.mark.wheel
def test_the_module_exports_its_init_function_only() -> None:
    command = ["nm", "-D", "--defined-only", "--format=posix", native()]
    symbols = subprocess.check_output(command, text=True)
    assert [line.split()[0] for line in symbols.splitlines()] == ["PyInit__native"]


def test_one_abi_for_all_versions() -> None:
    assert native().endswith("/_native.abi3.so")


@pytest.mark.wheel
def test_it_names_no_folder_of_the_machine_that_built_it() -> None:
    content = Path(native()).read_bytes()
    for folder in (ROOT, Path.home() / ".cargo"):
        assert f"{folder}/".encode() not in content


def test_few_modules_are_imported_and_none_that_is_foreign() -> None:
    code = (
        "import sys; before = set(sys.modules); import clazar_auth; "
        "print(*(set(sys.modules) - before))"
    )
    output = subprocess.check_output(
        [sys.executable, "-I", "-S", "-c", CODE_PATH + code], text=True
    )
    loaded = {name for name in output.split() if name.split(".")[0] != "clazar_auth"}
    assert loaded <= set(sys.stdlib_module_names)
    assert len(loaded) < 15, loaded
