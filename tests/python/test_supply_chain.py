"""What is taken from others is named with its hash, and nothing is published before all tests."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
RECIPES = [ROOT / "Makefile", *ROOT.glob("packaging/*.mk"), *ROOT.glob("tests/*.sh"), *WORKFLOWS]
NAMES = sorted(
    [*ROOT.glob("packaging/*.in"), *ROOT.glob("tests/python/*.in"), *ROOT.glob("benches/*.in")]
)


def jobs(workflow: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_their_commits(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())
    assert used
    for action in used:
        assert action.startswith("./") or re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", action), (
            action
        )


def test_a_container_is_named_by_its_digest() -> None:
    for workflow in WORKFLOWS:
        for image in re.findall(r"docker run .*?(\S+:\S+) sh ", workflow.read_text(), re.DOTALL):
            assert re.search(r"@sha256:[0-9a-f]{64}$", image), image


def test_nothing_is_published_before_all_other_jobs() -> None:
    release = jobs(ROOT / ".github/workflows/release.yml")
    publish = release.pop("publish")
    assert set(publish["needs"]) == set(release)
    assert release["tests"]["uses"] == "./.github/workflows/ci.yml"
    assert [job for job in release.values() if "permissions" in job] == []


def test_all_of_make_test_is_a_job() -> None:
    found = re.search(r"^test: tools (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    parts = jobs(ROOT / ".github/workflows/ci.yml")["make"]["strategy"]["matrix"]["include"]
    made = {target for part in parts for target in part["targets"].split()}
    assert set(found[1].split()) <= made


def test_pip_takes_nothing_without_its_hash() -> None:
    commands = re.compile(r"(?:\bpip install|^PIP_INSTALL :=) .*", re.MULTILINE)
    found = [command for file in RECIPES for command in commands.findall(file.read_text())]
    assert any(command.startswith("PIP_INSTALL") for command in found)
    for command in found:
        assert "--require-hashes" in command or "--no-index" in command, command


@pytest.mark.parametrize("names", NAMES, ids=lambda path: path.name)
def test_each_list_has_what_it_was_asked_for(names: Path) -> None:
    written = names.with_suffix(".txt").read_text()
    for wanted in names.read_text().splitlines():
        if not wanted.startswith("#"):
            version = wanted.partition(";")[0]
            assert re.search(rf"^{re.escape(version)} .*\\\n +--hash", written, re.M), wanted


def test_npm_takes_what_the_lock_file_says() -> None:
    folder = ROOT / "tests/node"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())


def test_no_crate_needs_a_later_rust_than_this_one() -> None:
    """With clippy's `incompatible_msrv`, which is about the standard library, that is what can be checked without it."""
    metadata = ["cargo", "metadata", "--locked", "--format-version", "1"]
    packages = json.loads(subprocess.check_output(metadata, cwd=ROOT, timeout=600))["packages"]
    versions = {
        package["name"]: [int(part) for part in (package["rust_version"] or "1").split(".")]
        for package in packages
    }
    ours = versions["clazar-auth"]
    assert ours == [1, 88]
    assert {name: needed for name, needed in versions.items() if needed[:2] > ours} == {}
