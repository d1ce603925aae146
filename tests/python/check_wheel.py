"""Checks a wheel for Windows or macOS before it is shipped: its name and contents, and for Windows what it imports.

usage: check_wheel.py WHEEL TAG; the name of the wheel must contain the tag, such as cp310-abi3-win_amd64
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

# Each Windows has them; the last one comes with Python.
SYSTEM = {"advapi32", "bcrypt", "bcryptprimitives", "crypt32", "kernel32", "msvcrt", "ntdll"}
SYSTEM |= {"userenv", "ws2_32", "vcruntime140"}


def imports(module: bytes) -> set[str]:
    """The libraries that a module for Windows is linked with, without those of Windows."""
    from pefile import PE  # type: ignore[import-untyped]

    entries = PE(data=module).DIRECTORY_ENTRY_IMPORT
    names = {entry.dll.decode().lower().removesuffix(".dll") for entry in entries}
    return {name for name in names - SYSTEM if not name.startswith("api-ms-win-")}


def check(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        (module,) = (name for name in files.namelist() if name.endswith((".pyd", ".so")))
        if module.endswith(".pyd"):
            is_stable = "-abi3-" in wheel.name
            python = "python3" if is_stable else "python314t"
            assert imports(files.read(module)) == {python}, imports(files.read(module))
            assert not is_stable or module == "clazar_auth/_native.pyd", module


def main() -> None:
    wheel, tag = Path(sys.argv[1]), sys.argv[2]
    assert tag in wheel.name, wheel.name
    check(wheel)
    tools = Path(sys.executable).parent
    if "-abi3-" in wheel.name:
        subprocess.run([tools / "abi3audit", "--strict", "--summary", wheel], check=True)
    subprocess.run([tools / "check-wheel-contents", wheel], check=True)


if __name__ == "__main__":
    main()
