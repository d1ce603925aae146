"""Builds the C library and installs it; packaging/c.mk says when.

The tools of a cross compiler go by the variables that make has for them: AR, CC, LD, NM, OBJCOPY, WINDRES. LDFLAGS
are for the link of the shared library.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARGO_TOML = (ROOT / "Cargo.toml").read_text()


def of_the_package(key: str) -> str:
    """A text from Cargo.toml; its first section is the package."""
    found = re.search(rf'^{key} = "(.*)"', CARGO_TOML, re.MULTILINE)
    assert found, key
    return found[1]


VERSION = of_the_package("version")
# Changes when a program must be compiled anew; docs/c.md says when that is.
SOVERSION = "0"
# The first version with it.
SOVERSION_SINCE = "0.1.0"
SONAME = f"libclazar_auth.so.{SOVERSION}"
LIBRARY = f"libclazar_auth.so.{VERSION}"

# What of others is linked in.
NOTICES = "THIRD-PARTY-LICENSES"
SBOM = "clazar_auth.cyclonedx.json"

# A program that is linked with the library asks for its functions by name and this version.
SYMBOL_VERSION = f"CLAZAR_AUTH_{SOVERSION}"
VERSION_SCRIPT = f"{SYMBOL_VERSION} {{ global: clazar_*; local: *; }};\n"
LINK_OPTIONS = [
    "-shared",
    f"-Wl,-soname,{SONAME}",
    "-Wl,-z,nodelete",
    "-Wl,-z,relro,-z,now",
    "-Wl,-z,noexecstack",
    "-Wl,-z,defs",
    "-Wl,--gc-sections",
    "-Wl,--as-needed",
    "-Wl,--build-id=sha1",
]

# On macOS it would be -dynamiclib -install_name @rpath/libclazar_auth.0.dylib -compatibility_version 1
# -exported_symbols_list FILE. It is not made here, where zig's linker offers each symbol whatever that list says; for
# macOS the sources are only type-checked.

# ---- Windows, by mingw ----

DLL = "clazar_auth.dll"
# Where the functions are that it calls. The last one has many of the others too, by names that are less known.
WINDOWS_LIBRARIES = (
    "-lws2_32 -lntdll -ladvapi32 -lcrypt32 -lbcrypt -lbcryptprimitives -lsynchronization"
    " -lkernel32 -lmincore"
)
# With nothing in it that names another DLL of mingw's, or the time.
DLL_OPTIONS = ["-shared", "-static", "-s", "-Wl,--no-insert-timestamp"]
# What the Explorer shows.
RESOURCE = """\
1 VERSIONINFO
FILEVERSION {numbers}
PRODUCTVERSION {numbers}
FILEOS 0x40004
FILETYPE 2
BEGIN
    BLOCK "StringFileInfo"
    BEGIN
        BLOCK "040904b0"
        BEGIN
            VALUE "FileDescription", "{description}"
            VALUE "FileVersion", "{version}"
            VALUE "InternalName", "clazar_auth"
            VALUE "LegalCopyright", "{license}"
            VALUE "OriginalFilename", "{dll}"
            VALUE "ProductName", "clazar-auth"
            VALUE "ProductVersion", "{version}"
        END
    END
    BLOCK "VarFileInfo"
    BEGIN
        VALUE "Translation", 0x409, 1200
    END
END
"""


def tool(name: str, *arguments: str | Path) -> str:
    command = [*os.environ.get(name.upper(), name).split(), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


# ---- What is built ----


def build(what: argparse.Namespace) -> None:
    folder: Path = what.folder
    folder.mkdir(parents=True, exist_ok=True)
    archive, libraries = compiled(what.profile, what.features, what.options, what.target)
    if what.windows:
        libraries = WINDOWS_LIBRARIES
    (folder / "native-static-libs").write_text(libraries)
    with tempfile.TemporaryDirectory() as work:
        whole = one_object(archive, Path(work), what.windows)
        if what.windows:
            link_dll(whole, folder)
        elif what.shared:
            link_shared(whole, libraries, what.linker, folder / "libclazar_auth.so")
        pack_static(whole, folder / "libclazar_auth.a")
    for script, name in (("notices.py", NOTICES), ("sbom.py", SBOM)):
        command = [sys.executable, ROOT / "packaging" / script, what.features]
        with open(folder / name, "w") as file:
            subprocess.run(command, check=True, stdout=file)


def compiled(
    profile: str, features: str, options: list[str], target: str | None
) -> tuple[str, str]:
    """The static library, and what it is to be linked with, as cargo names them."""
    command = [os.environ.get("CARGO", "cargo"), "rustc", "--locked", "--profile", profile]
    command += ["--lib", "--crate-type", "staticlib", "--features", features]
    command += ["--target", target] if target else []
    command += ["--message-format", "json", "--", "--print", "native-static-libs", *options]
    files: list[str] = []
    libraries = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as cargo:
        assert cargo.stdout is not None
        for said in map(json.loads, cargo.stdout):
            message = said.get("message", {})
            text = message.get("message", "")
            if text.startswith("native-static-libs: "):
                libraries = text.partition(": ")[2]
            elif message.get("level") in ("warning", "error"):
                print(message["rendered"], file=sys.stderr)
            if said.get("target", {}).get("name") == "clazar_auth":
                files += said.get("filenames", [])
    if cargo.returncode != 0:
        sys.exit(cargo.returncode)
    (archive,) = (file for file in files if file.endswith(".a"))
    return archive, libraries


def functions(objects: Path) -> list[str]:
    """Those of the library's own."""
    symbols = tool("nm", "--defined-only", "--format=posix", objects)
    return re.findall(r"^(clazar_\w+) T ", symbols, re.MULTILINE)


def one_object(archive: str, work: Path, windows: bool) -> Path:
    """Makes one object of an archive, of which only clazar_* is global.

    So it links beside another Rust static library, in any order.
    """
    every, whole, ours = (work / name for name in ("all.a", "all.o", "clazar_auth.o"))
    # By this name the linker would look for a part of a program. What tells it what to export is not for others.
    hidden = ["--redefine-sym=_tls_used=tls_used_"] if windows else []
    shown = ["--redefine-sym=tls_used_=_tls_used", "--remove-section=.drectve"] if windows else []
    # mingw's linker drops functions, and keeps how to unwind them, which then leads nowhere.
    smaller = [] if windows else ["--gc-sections", "--force-group-allocation"]
    # What Rust's own library holds for LTO would make an object look like bitcode to other tools.
    bitcode = ["--remove-section=.llvmbc", "--remove-section=.llvmcmd"]
    tool("objcopy", *bitcode, *hidden, archive, every)
    if windows:
        # Import libraries, which do not survive it; mingw has them too.
        tool("ar", "d", every, *re.findall(r".*\.dll[hst]\d*\.o$", tool("ar", "t", every), re.M))
    roots = [f"--undefined={name}" for name in functions(every)]
    tool("ld", "-r", *smaller, *roots, "-o", whole, every)
    tool("objcopy", *shown, "--wildcard", "--keep-global-symbol=clazar_*", whole, ours)
    return ours


def link_shared(whole: Path, libraries: str, linker: str | None, result: Path) -> None:
    """Links the shared library, with the version of its symbols.

    rustc would pass a version script of its own, and no linker takes two.
    """
    script = whole.with_name("versions")
    script.write_text(VERSION_SCRIPT)
    options = [*LINK_OPTIONS, f"-Wl,--version-script={script}"]
    command = linker or os.environ.get("CC", "cc")
    inputs = [str(whole), *os.environ.get("LDFLAGS", "").split(), *libraries.split()]
    subprocess.run([*command.split(), *options, *inputs, "-o", result], check=True)


def link_dll(whole: Path, folder: Path) -> None:
    """Links the DLL, which offers what its definition names, and its import library."""
    definition, script, resource = (whole.with_name(f"dll.{end}") for end in ("def", "rc", "o"))
    definition.write_text("\n".join(["EXPORTS", *functions(whole), ""]))
    script.write_text(
        RESOURCE.format(
            numbers=VERSION.replace(".", ",") + ",0",
            version=VERSION,
            description=of_the_package("description"),
            license=of_the_package("license"),
            dll=DLL,
        )
    )
    tool("windres", script, resource)
    implib = f"-Wl,--out-implib,{folder / 'libclazar_auth.dll.a'}"
    libraries = [*os.environ.get("LDFLAGS", "").split(), *WINDOWS_LIBRARIES.split()]
    options = [*DLL_OPTIONS, implib, "-o", str(folder / DLL)]
    tool("cc", *options, whole, resource, definition, *libraries)


def pack_static(whole: Path, result: Path) -> None:
    """Makes the static library, without what debuggers read."""
    small = whole.with_name("static") / whole.name
    small.parent.mkdir()
    tool("objcopy", "--strip-unneeded", "--remove-section=.comment", whole, small)
    result.unlink(missing_ok=True)
    tool("ar", "rcsD", result, small)


# ---- Where it is installed ----


def install(where: argparse.Namespace) -> None:
    os.umask(0o022)  # For all users, whoever installs.
    prefix = Path(where.destdir + where.prefix)
    libraries, headers, documents = (
        prefix / folder for folder in (where.libdir, where.includedir, where.docdir)
    )
    for header in (ROOT / "include").iterdir():
        copy(header, headers / header.name)
    for document in (
        ROOT / "LICENSE-MIT",
        ROOT / "LICENSE-APACHE",
        where.folder / NOTICES,
        where.folder / SBOM,
    ):
        copy(document, documents / document.name)
    copy(where.folder / "libclazar_auth.a", libraries / "libclazar_auth.a")
    if where.windows:
        copy(where.folder / DLL, prefix / "bin" / DLL)
        copy(where.folder / "libclazar_auth.dll.a", libraries / "libclazar_auth.dll.a")
        describe(where, libraries)
        return
    if not where.shared:
        return

    for suppressions in (ROOT / "packaging/suppressions").iterdir():
        copy(suppressions, prefix / "share/clazar_auth" / suppressions.name)
    # Of another version with this soname nothing stays: ldconfig would link to the newest.
    for older in [*libraries.glob(f"{SONAME}.*"), *libraries.glob(f".debug/{SONAME}.*")]:
        older.unlink()
    copy(where.folder / "libclazar_auth.so", libraries / LIBRARY)
    if where.strip:
        split(libraries / LIBRARY, libraries / ".debug" / f"{LIBRARY}.debug")
    link(libraries / SONAME, LIBRARY)
    link(libraries / "libclazar_auth.so", SONAME)

    describe(where, libraries)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def link(path: Path, to: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def split(library: Path, symbols: Path) -> None:
    """Moves what debuggers read into a file of its own, in a folder where they look for it."""
    symbols.parent.mkdir(exist_ok=True)
    tool("objcopy", "--only-keep-debug", "--compress-debug-sections", library, symbols)
    symbols.chmod(0o644)
    without = ["--strip-all", "--remove-section=.comment"]
    tool("objcopy", *without, f"--add-gnu-debuglink={symbols}", library)


def describe(where: argparse.Namespace, libraries: Path) -> None:
    """Writes what pkg-config and CMake read.

    The paths in a file lead from where it is to the prefix, so that the whole can be moved.
    """
    native = (where.folder / "native-static-libs").read_text()
    if not where.windows:
        # A plugin with the static library in it stays loaded, as the shared library does: a thread may still run.
        native += " -Wl,-z,nodelete"
    # A bare name would be a target of the project where it has one of that name.
    for_cmake = native.replace("-lpthread", "Threads::Threads").replace(" ", ";")
    values = {
        "VERSION": VERSION,
        "VERSION_MAJOR": VERSION.split(".")[0],
        "SOVERSION_SINCE": SOVERSION_SINCE,
        "LICENSE": of_the_package("license"),
        "URL": of_the_package("homepage"),
        "LIBDIR": where.libdir,
        "INCLUDEDIR": where.includedir,
        "NATIVE_STATIC_LIBS": native,
        "CMAKE_STATIC_LIBS": for_cmake,
    }
    if where.windows:
        import_library = f"${{_clazar_auth_prefix}}/{where.libdir}/libclazar_auth.dll.a"
        values |= {
            "POINTER_SIZE": "8",
            "SHARED": f"bin/{DLL}",
            "LINKED_BY": f'IMPORTED_IMPLIB "{import_library}"',
            "STATIC_CFLAGS": " -DCLAZAR_STATIC",
            "PRIVATE_CFLAGS": "\nCflags.private: -DCLAZAR_STATIC",
            "STATIC_DEFINITIONS": '\n        INTERFACE_COMPILE_DEFINITIONS "CLAZAR_STATIC"',
        }
    else:
        values |= {
            "POINTER_SIZE": pointer_size(libraries / LIBRARY),
            "SHARED": f"{where.libdir}/{LIBRARY}",
            "LINKED_BY": f'IMPORTED_SONAME "{SONAME}"',
            "STATIC_CFLAGS": "",
            "PRIVATE_CFLAGS": "",
            "STATIC_DEFINITIONS": "",
        }
    for folder, names in {
        "pkgconfig": ["clazar_auth.pc", "clazar_auth-static.pc"],
        "cmake/clazar_auth": ["clazar_authConfig.cmake", "clazar_authConfigVersion.cmake"],
    }.items():
        values["TO_PREFIX"] = os.path.relpath("/", f"/{where.libdir}/{folder}")
        for name in names:
            template = ROOT / "packaging" / folder.partition("/")[0] / f"{name}.in"
            text = re.sub(r"@(\w+)@", lambda found: values[found[1]], template.read_text())
            target = libraries / folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(0o644)


def pointer_size(library: Path) -> str:
    """In bytes, by the class of an ELF file."""
    with open(library, "rb") as file:
        return {1: "4", 2: "8"}[file.read(5)[4]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    builds = commands.add_parser("build", help="build the library into a folder")
    builds.add_argument("--profile", default="release")
    builds.add_argument("--linker", help="what links the shared library, in place of CC")
    builds.add_argument("--no-shared", dest="shared", action="store_false")
    builds.add_argument("folder", type=Path)
    builds.add_argument("features")
    builds.add_argument("options", nargs=argparse.REMAINDER, help="more options for rustc")
    builds.add_argument("--target", help="what cargo builds for, if not for this machine")
    installs = commands.add_parser("install", help="install it from there below a prefix")
    installs.add_argument("--no-shared", dest="shared", action="store_false")
    installs.add_argument("--target", help="what it was built for, as said to `build`")
    installs.add_argument("folder", type=Path)
    installs.add_argument("--prefix", required=True)
    installs.add_argument("--destdir", default="")
    installs.add_argument("--libdir", default="lib")
    installs.add_argument("--includedir", default="include")
    installs.add_argument("--docdir", default="share/doc/clazar_auth")
    installs.add_argument("--no-strip", dest="strip", action="store_false")
    asked = parser.parse_args()
    asked.windows = "windows" in (asked.target or "")
    return asked


def main() -> None:
    asked = arguments()
    if asked.command == "build":
        build(asked)
    else:
        install(asked)


if __name__ == "__main__":
    main()
