"""The package as it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import clazar_auth

ROOT = Path(__file__).parents[2]
PACKAGE = Path(clazar_auth.__file__).parent


def native() -> str:
    spec = importlib.util.find_spec("clazar_auth._native")
    assert spec is not None and spec.origin is not None
    return spec.origin


def test_the_module_exports_its_init_function_only() -> None:
    command = ["nm", "-D", "--defined-only", "--format=posix", native()]
    symbols = subprocess.check_output(command, text=True)
    assert [line.split()[0] for line in symbols.splitlines()] == ["PyInit__native"]


def test_one_abi_for_all_versions() -> None:
    assert native().endswith("/_native.abi3.so")
    assert ROOT / "python" not in PACKAGE.parents, "this is the checkout, not the installed package"


def test_nothing_foreign_is_imported() -> None:
    code = (
        "import sys; before = set(sys.modules); import clazar_auth; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = subprocess.check_output([sys.executable, "-I", "-c", code], text=True).split()
    assert set(loaded) <= set(sys.stdlib_module_names) | {"clazar_auth"}


def test_types() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", str(ROOT / "tests/python")]
    subprocess.run(command, check=True, cwd=ROOT, timeout=600)


def test_the_stubs_are_true() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "clazar_auth._native"]
    subprocess.run(command, check=True, cwd=ROOT, timeout=600)
