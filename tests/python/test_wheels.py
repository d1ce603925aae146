"""What goes to PyPI: the wheel and the source distribution in dist/."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import clazar_auth

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parents[2]
NAME = f"clazar_auth-{clazar_auth.__version__}"
LICENCES = ["LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-LICENSES"]
LARGEST = 3_000_000
"""Bytes, of the wheel as it is fetched and as it is installed."""


def only(pattern: str) -> Path:
    found = list((ROOT / "dist").glob(pattern))
    if len(found) != 1:
        pytest.fail(f"dist/ has {len(found)} files like {pattern}; run `make wheel`")
    return found[0]


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    return zipfile.ZipFile(only("*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(wheel.read(f"{NAME}.dist-info/METADATA").decode())


def run(*command: str, **settings: Any) -> str:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        **settings,
    )
    output: str = done.stdout
    assert done.returncode == 0, output
    return output


def test_the_wheel_is_for_all_pythons_and_old_systems() -> None:
    machine = platform.machine()
    tags = f"cp310-abi3-manylinux2014_{machine}.manylinux_2_17_{machine}"
    assert only("*.whl").name == f"{NAME}-{tags}.whl"
    show = [sys.executable, "-m", "auditwheel", "show", "--json"]
    shown = json.loads(run(*show, str(only("*.whl"))))
    assert shown["overall_tag"] == f"manylinux_2_17_{machine}"
    assert shown["external_libs"] == {}


def test_the_wheel_keeps_to_the_stable_abi() -> None:
    check = Path(__file__).with_name("check_wheel.py")
    run(sys.executable, str(check), str(only("*.whl")), "cp310-abi3-manylinux")


def test_the_index_takes_both() -> None:
    files = [str(only("*.whl")), str(only("*.tar.gz"))]
    run(sys.executable, "-m", "twine", "check", "--strict", *files)


def test_what_is_installed_is_small(tmp_path: Path) -> None:
    """With what pip adds, most of it compiled modules."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    run(*pip, "--no-index", "--compile", "--target", str(tmp_path), str(only("*.whl")))
    assert list(tmp_path.glob("clazar_auth/__pycache__/*.pyc"))
    installed = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert installed < LARGEST, f"{installed} bytes"


def test_the_description_has_no_dead_link(metadata: Message) -> None:
    """As long as nothing is published, a link leads to a file of the checkout, and to no host."""
    links = re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload()))
    assert links and all((ROOT / link.partition("#")[0]).exists() for link in links), links


def test_the_wheel_depends_on_nothing(metadata: Message) -> None:
    assert metadata.get_all("Requires-Dist") is None


@pytest.fixture(scope="module")
def parts(wheel: zipfile.ZipFile) -> str:
    (name,) = (name for name in wheel.namelist() if "/sboms/" in name)
    assert name == f"{NAME}.dist-info/sboms/clazar_auth.cyclonedx.json"
    return wheel.read(name).decode()


def test_the_list_of_parts_is_whole(parts: str) -> None:
    sbom = json.loads(parts)
    assert sbom["bomFormat"] == "CycloneDX"
    of_cargo = [part for part in sbom["components"] if part["purl"].startswith("pkg:cargo/")]
    assert all(part["licenses"] and part["hashes"] for part in of_cargo)
    named = {part["bom-ref"] for part in [*of_cargo, sbom["metadata"]["component"]]}
    assert {tree["ref"] for tree in sbom["dependencies"]} == named
    assert {part for tree in sbom["dependencies"] for part in tree["dependsOn"]} < named


def test_nothing_in_the_wheel_names_a_folder_of_the_machine(wheel: zipfile.ZipFile) -> None:
    folders = [str(ROOT), str(Path.home()), os.environ.get("CARGO_HOME", str(ROOT))]
    for name in wheel.namelist():
        assert not [folder for folder in folders if folder.encode() in wheel.read(name)], name


def test_the_wheel_names_what_is_linked_in(
    wheel: zipfile.ZipFile, metadata: Message, parts: str
) -> None:
    components = {f"{part['name']} {part['version']}" for part in json.loads(parts)["components"]}

    assert sorted(metadata.get_all("License-File", [])) == LICENCES
    folder = f"{NAME}.dist-info/licenses/"
    third_party = wheel.read(folder + "THIRD-PARTY-LICENSES").decode()
    licensed = set(re.findall(r"^([\w-]+ \d+\.\d+\.\S+): \w", third_party, re.MULTILINE))
    assert {name.split()[0] for name in licensed} >= {"pyo3", "ring", "rustls", "ureq"}
    assert licensed <= components, "what has a licence here is a part"


def test_the_source_is_what_the_build_needs_and_no_more() -> None:
    with tarfile.open(only("*.tar.gz")) as archive:
        members = {member.name.partition("/")[2] for member in archive if member.isfile()}
    # Cargo reads Cargo.toml only where the crate of the tests that it names is there.
    folders = ("src", "python", "tests/support")
    sources = [path for folder in folders for path in ROOT.glob(f"{folder}/**/*")]
    built = {"__pycache__", "_native.abi3.so"}
    needed = {
        str(path.relative_to(ROOT))
        for path in sources
        if path.is_file() and not built & set(path.parts)
    }
    needed |= {"Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "PKG-INFO", *LICENCES}
    assert members == needed


def test_the_source_builds_far_from_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    target = ["--no-index", "--no-build-isolation", "--check-build-dependencies"]
    target += ["--wheel-dir", str(tmp_path)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CARGO_")},
        "TMPDIR": str(tmp_path),
        # What builds it is what `make requirements` wrote down, not the newest.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # Without optimisation, since it takes long and shows nothing here.
        "MATURIN_PEP517_ARGS": "--profile dev",
    }
    run(*pip, "wheel", *target, str(only("*.tar.gz")), cwd=tmp_path, env=environment)

    run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv"))
    python = str(tmp_path / "venv/bin/python")
    (built,) = map(str, tmp_path.glob("*.whl"))
    run(*pip, "--python", python, "install", "--no-index", built)
    run(python, str(ROOT / "tests/python/smoke.py"), cwd=tmp_path)
