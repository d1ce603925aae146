"""Prints the licences of the packages that go into a build: `notices.py FEATURES`.

Where a package offers several, MIT is taken; a text that differs in its copyright lines alone is printed
once, with the lines of each package. The terms of the Apache License are in LICENSE-APACHE, which is always beside this.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE")
"""How they begin, in capitals or not."""


def metadata(features: str) -> dict[str, Any]:
    """What cargo says of the package and of all that it needs with these features."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    command += ["--filter-platform", target(), "--features", features]
    found: dict[str, Any] = json.loads(subprocess.check_output(command))
    return found


def linked(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages that the library is linked from, without itself and what runs in the compiler."""
    macros = {package["id"] for package in metadata["packages"] if is_macro(package)}
    return reached(metadata, {None}, macros)


def reached(
    metadata: dict[str, Any], kinds: set[str | None], without: set[str]
) -> list[dict[str, Any]]:
    """The packages that are reached by dependencies of these kinds."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found: set[str] = set()
    open_ends = [metadata["resolve"]["root"]]
    while open_ends:
        for dependency in nodes[open_ends.pop()]["deps"]:
            is_wanted = kinds & {kind["kind"] for kind in dependency["dep_kinds"]}
            if is_wanted and dependency["pkg"] not in found | without:
                found.add(dependency["pkg"])
                open_ends.append(dependency["pkg"])
    packages = (package for package in metadata["packages"] if package["id"] in found)
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def is_macro(package: dict[str, Any]) -> bool:
    return any("proc-macro" in target["kind"] for target in package["targets"])


def texts(package: dict[str, Any]) -> list[str]:
    folder = Path(package["manifest_path"]).parent
    named = (file for file in folder.iterdir() if file.name.upper().startswith(LICENCE_FILES))
    files = {file for file in named if file.is_file()}
    if "MIT" in (package["license"] or "").split(" OR "):
        files = {file for file in files if "MIT" in file.name.upper()} or files
    return [file.read_text("utf-8", "replace").strip() for file in sorted(files)]


def standard_library() -> str:
    """The licence of what the compiler links in: this project's, of other holders."""
    text = Path("LICENSE-MIT").read_text()
    holders = "Copyright (c) The Rust Project Developers"
    return re.sub(r"Copyright .*", holders, text, count=1).strip()


def together(parts: dict[str, str]) -> dict[str, list[str]]:
    """The titles, each with its copyright lines, of each text; line breaks make no other text."""
    found: dict[str, list[str]] = defaultdict(list)
    first: dict[str, str] = {}
    for title, text in parts.items():
        lines = [line.strip() for line in text.splitlines()]
        holders = [line for line in lines if line.startswith("Copyright")]
        rest = "\n".join(line for line in lines if line not in holders).strip()
        same = first.setdefault(" ".join(rest.split()), rest)
        found[same].append("\n    ".join([title, *holders]))
    return found


def without_apache_terms(text: str) -> str:
    """With a line in their place, if they are there word by word."""
    apache = Path("LICENSE-APACHE").read_text()
    begin, end = "TERMS AND CONDITIONS", "END OF TERMS AND CONDITIONS"
    terms = apache[apache.index(begin) : apache.index(end)]
    same = r"\s+".join(map(re.escape, terms.split()))
    return re.sub(same, "[The terms are in LICENSE-APACHE.]\n\n", text)


def target() -> str:
    """The machine that is built for: that of the environment, or this one."""
    lines = subprocess.check_output(["rustc", "-vV"], text=True).splitlines()
    host = next(line.removeprefix("host: ") for line in lines if line.startswith("host: "))
    return os.environ.get("CARGO_BUILD_TARGET", host)


def main() -> None:
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    parts = {"The Rust standard library: MIT OR Apache-2.0": standard_library()}
    for package in linked(metadata(sys.argv[1])):
        title = f"{package['name']} {package['version']}: {package['license'] or 'see below'}"
        parts[title] = without_apache_terms("\n\n".join(texts(package)))
    print("clazar-auth is linked from the packages below, under their licences.")
    for text, titles in together(parts).items():
        print(f"\n{'=' * 40}\n", *titles, f"\n{text}", sep="\n")


if __name__ == "__main__":
    main()
