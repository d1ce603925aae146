"""Installs one wheel into a clean virtual environment of each Python that is here, and runs it.

Needs nothing but the standard library. usage: matrix.py WHEEL
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]

CHECK = """
import clazar_auth, sys
with clazar_auth.testing.Sandbox() as sandbox, sandbox.provider() as provider:
    assert provider.headers()["Authorization"].startswith("Bearer ")
    assert sandbox.requests() == 1
    assert provider.token().expires_at.tzinfo is not None
try:
    provider.token()
except clazar_auth.ClosedError:
    print("clazar_auth", clazar_auth.__version__, "works on", sys.version.split()[0])
"""


def find(version: str) -> str | None:
    """An interpreter of this version on the path or among pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [str(path) for path in versions.glob(f"{version}*/bin/python{version}")]
    candidates += filter(None, [shutil.which(f"python{version}")])
    for candidate in candidates:
        command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(command, capture_output=True, text=True).stdout == f"{version}\n":
            return candidate
    return None


def main() -> None:
    wheel = sys.argv[1]
    found = {version: find(version) for version in VERSIONS}
    passed = 0
    for version, python in found.items():
        if python is None:
            print(f"Python {version} is not on this machine; not tried")
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([python, "-m", "venv", folder], check=True)
            own = f"{folder}/bin/python"
            subprocess.run([own, "-m", "pip", "install", "--quiet", "--no-index", wheel], check=True)
            subprocess.run([own, "-W", "error", "-c", CHECK], check=True, cwd=folder)
        passed += 1
    print(f"matrix: {passed} passed, 0 failed, {len(VERSIONS) - passed} skipped")


if __name__ == "__main__":
    main()
