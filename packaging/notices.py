"""Prints the licence of each package that is part of the C library: `notices.py FEATURES`."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

LICENCE_FILES = ("LICENSE*", "LICENCE*", "COPYING*", "COPYRIGHT*", "NOTICE*")


def linked(metadata):
    """The packages that the library is linked from, itself left out."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, open_ends = set(), [root]
    while open_ends:
        for dependency in nodes[open_ends.pop()]["deps"]:
            kinds = {kind["kind"] for kind in dependency["dep_kinds"]}
            if None in kinds and dependency["pkg"] not in found:
                found.add(dependency["pkg"])
                open_ends.append(dependency["pkg"])
    packages = (package for package in metadata["packages"] if package["id"] in found)
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def texts(package):
    folder = Path(package["manifest_path"]).parent
    files = {file for pattern in LICENCE_FILES for file in folder.glob(pattern) if file.is_file()}
    return [file.read_text(errors="replace").strip() for file in sorted(files)]


def standard_library():
    """What the compiler brings along about the library that it links in."""
    root = subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip()
    file = Path(root) / "share/doc/rust/COPYRIGHT-library.html"
    if not file.exists():
        return "The Rust Project Developers (see https://thanks.rust-lang.org)"
    plain = html.unescape(re.sub(r"<head>.*?</head>|<[^>]+>", "", file.read_text(), flags=re.DOTALL))
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", plain).strip()


def main():
    host = next(
        line.split()[1]
        for line in subprocess.check_output(["rustc", "-vV"], text=True).splitlines()
        if line.startswith("host:")
    )
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    command += ["--filter-platform", host, "--features", sys.argv[1]]
    metadata = json.loads(subprocess.check_output(command))
    print("The clazar-auth library is linked from the packages below, under their licences.")
    print(f"\n{'=' * 100}\nThe Rust standard library: MIT OR Apache-2.0\n")
    print(standard_library())
    for package in linked(metadata):
        title = f"{package['name']} {package['version']}: {package['license'] or 'see below'}"
        print(f"\n{'=' * 100}\n{title}\n{package['repository'] or ''}\n")
        print("\n\n".join(texts(package)))


if __name__ == "__main__":
    main()
