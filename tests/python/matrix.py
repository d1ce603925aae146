"""Installs one wheel into a clean virtual environment of each Python that is here, and runs smoke.py.

Needs nothing but the standard library. In continuous integration (CI is set) each of REQUIRED must be
here; elsewhere those that are missing are named and skipped, but one must be here.

usage: matrix.py WHEEL
       matrix.py --newest    says where the newest Python of REQUIRED is
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIRED = ["3.10", "3.11", "3.12", "3.13"]
WELCOME = ["3.14", "3.15"]
SMOKE = Path(__file__).with_name("smoke.py").resolve()


def find(version: str) -> str | None:
    """An interpreter of this version on the path or among pyenv's, none that is free-threaded."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [str(path) for path in versions.glob(f"{version}*/bin/python{version}")]
    candidates += filter(None, [shutil.which(f"python{version}")])
    code = "import sys; print('%d.%d%s' % (*sys.version_info[:2], sys.abiflags))"
    for candidate in candidates:
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if done.stdout == f"{version}\n":
            return candidate
    return None


def passes(python: str, wheel: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
        own = f"{folder}/bin/python"
        pip = [sys.executable, "-m", "pip", "--python", own, "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--no-index", str(wheel)], check=True)
        # -P is not known to Python 3.10: the tests' folder is kept off the path by the copy.
        tests = shutil.copy(SMOKE, folder)
        return subprocess.run([own, "-X", "dev", "-W", "error", tests], cwd=folder).returncode == 0


def newest() -> str:
    return next(filter(None, map(find, reversed(REQUIRED))), sys.executable)


def main() -> int:
    if sys.argv[1:] == ["--newest"]:
        print(newest())
        return 0
    wheel = Path(sys.argv[1]).resolve(strict=True)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for version in [*REQUIRED, *WELCOME]:
        python = find(version)
        if python is not None:
            print(f"Python {version}", flush=True)
            counts["passed" if passes(python, wheel) else "failed"] += 1
        elif version in REQUIRED and os.environ.get("CI"):
            print(f"Python {version} is not on this machine; install it")
            counts["failed"] += 1
        else:
            print(f"Python {version} is not on this machine; not tried")
            counts["skipped"] += 1
    print("matrix: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return counts["failed"] > 0 or counts["passed"] == 0


if __name__ == "__main__":
    sys.exit(main())
