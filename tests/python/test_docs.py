"""Each code block of the documentation, run as it stands against the sandbox.

A page is a program in each of its languages: a block may use what an earlier one made. What is
marked `text` is not code; Rust's blocks are run by `cargo test --doc`, and test_readme_and_tutorial.py takes some
pages as a new user does.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clazar_auth.testing import Sandbox

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "target" / "stage"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```([\w,]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_CODE = {"text", "rust", "toml"}
# test_deployment.py looks at these.
CONFIGURATION = {"ini", "yaml"}
TAKEN_ELSEWHERE = {"README.md", "docs/tutorial.md"}

# For blocks that are a part of a program.
C_PROGRAM = """
#include <clazar_auth.h>
#include <stdio.h>
int main(void) {{
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    if (clazar_config_new_from_env(&config, &error) != CLAZAR_OK ||
        clazar_provider_new(config, &provider, &error) != CLAZAR_OK)
        return 1;
    {{
{block}
    }}
    clazar_provider_free(provider);
    clazar_config_free(config);
    return error != NULL;
}}
"""

CPP_PROGRAM = """
#include <clazar_auth.hpp>
#include <iostream>
int main() {{
{block}
}}
"""

CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(program LANGUAGES C)
add_executable(program program.c)
{block}
"""


def blocks(page: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for language, block in BLOCK.findall(page.read_text()):
        found.setdefault(language.split(",")[0], []).append(block)
    return found


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def compiled(compiler: str, source: Path, environment: dict[str, str]) -> None:
    pkg_config = ["pkg-config", "--cflags", "--libs", "clazar_auth"]
    flags = subprocess.check_output(pkg_config, env=environment, text=True).split()
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]
    program = source.with_suffix("")
    command = [*compiler.split(), *warnings, str(source), "-o", str(program), *flags]
    run(command, source.parent, environment)
    run([str(program)], source.parent, environment)


def whole(block: str, program: str) -> str:
    return block if "int main(" in block else program.format(block=block)


def run_c(page: list[str], folder: Path, environment: dict[str, str]) -> None:
    for block in page:
        source = folder / "program.c"
        source.write_text(whole(block, C_PROGRAM))
        compiled("cc -std=c99 -D_POSIX_C_SOURCE=200809L", source, environment)


def run_cpp(page: list[str], folder: Path, environment: dict[str, str]) -> None:
    for block in page:
        source = folder / "program.cpp"
        source.write_text(whole(block, CPP_PROGRAM))
        compiled("c++ -std=c++17", source, environment)


def run_cmake(page: list[str], folder: Path, environment: dict[str, str]) -> None:
    (folder / "program.c").write_text("#include <clazar_auth.h>\nint main(void) { return 0; }\n")
    (folder / "CMakeLists.txt").write_text(CMAKE_PROJECT.format(block="".join(page)))
    run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={STAGE}"], folder, environment)
    run(["cmake", "--build", "build"], folder, environment)


def run_python(page: list[str], folder: Path, environment: dict[str, str]) -> None:
    (folder / "program.py").write_text("\n".join(page))
    run([sys.executable, "-W", "error", "program.py"], folder, environment)


def run_sh(page: list[str], folder: Path, environment: dict[str, str]) -> None:
    run(["bash", "-euo", "pipefail", "-c", "\n".join(page)], folder, environment)


RUNNERS: dict[str, Callable[[list[str], Path, dict[str, str]], None]] = {
    "c": run_c,
    "cmake": run_cmake,
    "cpp": run_cpp,
    "python": run_python,
    "sh": run_sh,
}


def case(language: str, found: list[str], name: str) -> object:
    marks = [pytest.mark.c] if language in {"c", "cpp", "cmake"} else []
    return pytest.param(language, found, id=name, marks=marks)


def in_headers() -> Iterator[object]:
    """The programs on the first pages of the C and C++ headers."""
    for language, name in (("c", "clazar_auth.h"), ("cpp", "clazar_auth.hpp")):
        comment = (ROOT / "include" / name).read_text().split("*/")[0]
        program = re.findall(r"^ \*     (.*)$|^ \*$", comment, re.MULTILINE)
        assert any("int main(" in line for line in program), f"{name} has lost its program"
        yield case(language, ["\n".join(program)], name)


def cases() -> Iterator[object]:
    yield from in_headers()
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        elsewhere = NOT_CODE | CONFIGURATION
        elsewhere |= {"python", "sh"} if name in TAKEN_ELSEWHERE else set()
        for language, found in blocks(page).items():
            if language not in elsewhere:
                yield case(language, found, f"{name}-{language}")


@pytest.mark.parametrize(("language", "page"), list(cases()))
def test_page(
    language: str,
    page: list[str],
    sandbox: Sandbox,
    sandbox_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment = {
        **sandbox_environment,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PKG_CONFIG_PATH": str(STAGE / "lib/pkgconfig"),
        "LD_LIBRARY_PATH": str(STAGE / "lib"),
    }
    here = [block.replace("https://api.clazar.io", sandbox.url) for block in page]
    RUNNERS[language](here, tmp_path, environment)


def test_the_map_of_the_sources_is_in_the_order_of_the_layers() -> None:
    layers = re.findall(r'"(\w+)",$', (ROOT / "tests/layers.rs").read_text(), re.MULTILINE)
    page = (ROOT / "CONTRIBUTING.md").read_text().split("| module |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in page.splitlines()[2:]]
    assert re.findall(r"`(\w+)`", "".join(rows)) == [*layers, "capi", "python"]


def test_make_help_names_each_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(
        re.findall(r"[\w-]+", " ".join(re.findall(r"^\.PHONY:(.*)", makefile, re.MULTILINE)))
    )
    # What others of them need.
    targets -= {"help", "tools", "bench-programs", "bench-tools"}
    said = subprocess.check_output(["make", "-s", "help"], cwd=ROOT, text=True)
    assert targets - set(re.findall(r"[\w-]+", said)) == set()


def test_the_page_of_platforms_has_each_row_that_make_platforms_tries() -> None:
    script = (ROOT / "tests/platforms.sh").read_text().replace("\\\n", "")
    tried = [shlex.split(line)[1:3] for line in re.findall(r"^row .*", script, re.MULTILINE)]
    assert len(tried) > 5
    page = (ROOT / "docs/platforms.md").read_text()
    written = page.split("<!-- make platforms -->")[1].split("<!-- end -->")[0]
    assert [list(row) for row in re.findall(r"^\| (.*) \| `(.*)` \|", written, re.M)] == tried


@pytest.mark.parametrize(
    ("page", "promises"), [("SECURITY.md", 15), ("docs/store.md", 15), ("docs/fleet.md", 5)]
)
def test_a_promise_names_tests_that_there_are(page: str, promises: int) -> None:
    text = (ROOT / page).read_text()
    named = re.compile(r"`([\w/]+\.(?:rs|py))::(\w+)`")
    table = text.split(" tried by |\n| ---")[1].split("\n\n")[0]
    rows = [line for line in table.splitlines() if line[:2] == "| "]
    assert len(rows) >= promises
    for row in rows:
        assert named.search(row), row
    for path, name in named.findall(text):
        assert re.search(rf"\b(fn|def) {name}\b", (ROOT / path).read_text()), f"{path}::{name}"
