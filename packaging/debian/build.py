"""Makes Debian packages of what is installed below FOLDER/all: `build.py FOLDER VERSION`.

They are three: the runtime, what one compiles against (-dev), and the symbols for debuggers (-dbgsym).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# As the tools of Debian name whoever packages.
NAME = os.environ.get("DEBFULLNAME", "The clazar-auth developers")
ADDRESS = os.environ.get("DEBEMAIL", "clazar-auth@example.invalid")
MAINTAINER = f"{NAME} <{ADDRESS}>"
# Less than the first of a distribution, whose packages go before these.
REVISION = "-0upstream1"
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])

COMMON = """\
Package: {package}
Source: clazar-auth
Version: {version}
Architecture: {architecture}
Multi-Arch: same
Maintainer: {maintainer}
Homepage: https://github.com/clazar/clazar-auth
Priority: optional
Installed-Size: {size}
"""
RUNTIME = """\
Section: libs
Depends: libc6 (>= {glibc}), libgcc-s1 (>= 4.2)
Description: access tokens for the Clazar API (shared library)
 Gets an access token, keeps it fresh and secret, and hands out the
 Authorization header.
"""
DEVELOPMENT = """\
Section: libdevel
Depends: {runtime} (= {version})
Description: access tokens for the Clazar API (development files)
 Headers for C and C++, the static library, and files for pkg-config and
 CMake.
"""
SYMBOLS = """\
Section: debug
Depends: {runtime} (= {version})
Auto-Built-Package: debug-symbols
Build-Ids: {build_id}
Description: debug symbols for {runtime}
"""
CHANGES = """\
clazar-auth ({version}) unstable; urgency=medium

  * Packaged by `make deb`; changelog.gz says what is new.

 -- {maintainer}  {date}
"""


def said_by(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    os.umask(0o022)
    folder, upstream = Path(sys.argv[1]).resolve(), sys.argv[2]
    libraries = Path("usr/lib", said_by("cc", "-print-multiarch").strip())
    soname = os.readlink(folder / "all" / libraries / "libclazar_auth.so")
    library = os.readlink(folder / "all" / libraries / soname)
    facts = facts_of(folder / "all" / libraries / library)
    facts["version"] = upstream + REVISION
    facts["runtime"] = "libclazar-auth" + soname.rpartition(".")[2]

    runtime, development = folder / facts["runtime"], folder / "libclazar-auth-dev"
    symbols = folder / f"{runtime.name}-dbgsym"
    (folder / "all").rename(development)
    for name in (library, soname):
        move(development / libraries / name, runtime / libraries / name)
    # Where gdb looks for it, whichever folder the library is in.
    first, rest = facts["build_id"][:2], facts["build_id"][2:]
    debug = development / libraries / ".debug"
    move(debug / f"{library}.debug", symbols / "usr/lib/debug/.build-id" / first / f"{rest}.debug")
    debug.rmdir()

    parts = take_documents(development)
    document(runtime, facts, parts)
    document(development, facts, parts)
    (symbols / "usr/share/doc").mkdir(parents=True)
    (symbols / "usr/share/doc" / symbols.name).symlink_to(runtime.name)

    tell_the_linker(runtime, soname, upstream)
    pack(runtime, RUNTIME, facts)
    pack(development, DEVELOPMENT, facts)
    pack(symbols, SYMBOLS, facts)


def facts_of(library: Path) -> dict[str, str]:
    notes = said_by("readelf", "--notes", "--version-info", "--wide", library)
    build_id = re.search("Build ID: (.*)", notes)
    assert build_id, f"{library} has no build id"
    return {
        "architecture": said_by("dpkg", "--print-architecture").strip(),
        "maintainer": MAINTAINER,
        "build_id": build_id[1],
        "glibc": max(re.findall(r"Name: GLIBC_([\d.]+)", notes), key=numbers),
        "date": formatdate(EPOCH),
    }


def take_documents(tree: Path) -> dict[str, str]:
    """What was installed of others' licences, and the list of parts, to be put where policy wants them."""
    documents = tree / "usr/share/doc" / tree.name
    names = ("THIRD-PARTY-LICENSES", "clazar_auth.cyclonedx.json")
    parts = {f"{name}.gz": (documents / name).read_text() for name in names}
    for file in documents.iterdir():
        file.unlink()
    return parts


def tell_the_linker(runtime: Path, soname: str, version: str) -> None:
    """Says which package a program needs that was linked with the library."""
    control = runtime / "DEBIAN"
    control.mkdir()
    (control / "triggers").write_text("activate-noawait ldconfig\n")
    name, _, soversion = soname.partition(".so.")
    (control / "shlibs").write_text(f"{name} {soversion} {runtime.name} (>= {version})\n")
    offered = [
        f"{soname} {runtime.name} #MINVER#\n",
        "* Build-Depends-Package: libclazar-auth-dev\n",
        *since(f"CLAZAR_AUTH_{soversion}"),
    ]
    (control / "symbols").write_text("".join(offered))


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def since(symbol_version: str) -> list[str]:
    """The version of the symbols, the functions, and the version that each came with, as the header says."""
    header = (ROOT / "include/clazar_auth.h").read_text()
    found = re.findall(r"@since (\S+)\n \*/\n[^#;{]*?\b(clazar_\w+)\(", header)
    first = min((version for version, _ in found), key=numbers)
    functions = sorted(f" {name}@{symbol_version} {version}\n" for version, name in found)
    return [f" {symbol_version}@{symbol_version} {first}\n", *functions]


def document(tree: Path, facts: dict[str, str], parts: dict[str, str]) -> None:
    """Adds what policy wants beside the files of a package: its licences, its parts and its changes."""
    documents = tree / "usr/share/doc" / tree.name
    documents.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "packaging/debian/copyright").read_text()
    for line in (ROOT / "LICENSE-MIT").read_text().splitlines():
        text += f" {line or '.'}\n"
    (documents / "copyright").write_text(text)
    for name, text in {
        **parts,
        "changelog.gz": (ROOT / "CHANGELOG.md").read_text(),
        "changelog.Debian.gz": CHANGES.format(**facts),
    }.items():
        (documents / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def pack(tree: Path, fields: str, facts: dict[str, str]) -> None:
    files = sorted(
        path for path in tree.glob("usr/**/*") if path.is_file() and not path.is_symlink()
    )
    control = tree / "DEBIAN"
    control.mkdir(exist_ok=True)
    sums = (
        f"{hashlib.md5(file.read_bytes()).hexdigest()}  {file.relative_to(tree)}\n"
        for file in files
    )
    (control / "md5sums").write_text("".join(sums))
    facts = {**facts, "package": tree.name}
    facts["size"] = str(sum(-(-file.stat().st_size // 1024) for file in files))
    (control / "control").write_text((COMMON + fields).format(**facts))
    package = f"{tree.name}_{facts['version']}_{facts['architecture']}.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", tree, tree.parent / package], check=True
    )


if __name__ == "__main__":
    main()
