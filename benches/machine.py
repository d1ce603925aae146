"""Where the figures come from: the machine, the versions, and the size of what is installed."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
import time
from importlib import metadata
from pathlib import Path


def describe() -> dict[str, object]:
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": output("git", "describe", "--always", "--dirty"),
        "processor": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "versions": versions(),
    }


def busy(seconds: float = 3) -> float:
    """The part of the machine's time that goes to others, or to another machine, while this program waits."""

    def so_far() -> list[int]:
        line = Path("/proc/stat").read_text().splitlines()[0]
        return [int(ticks) for ticks in line.split()[1:9]]

    before = so_far()
    time.sleep(seconds)
    passed = [after - start for after, start in zip(so_far(), before, strict=True)]
    # proc_stat(5): the fourth field is idle, the fifth waits for a disk.
    return 1 - (passed[3] + passed[4]) / sum(passed)


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def versions() -> dict[str, str]:
    packages = (
        "clazar-auth",
        "requests",
        "google-auth",
        "azure-core",
        "botocore",
        "Authlib",
        "msal",
    )
    locked = Path("benches/rust/Cargo.lock").read_text()
    crates = {
        crate: re.findall(rf'^name = "{crate}"\nversion = "(.+)"$', locked, re.MULTILINE)[0]
        for crate in ("ureq", "rustls", "yup-oauth2", "google-cloud-auth")
    }
    return {
        "Python": platform.python_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        **{package: metadata.version(package) for package in packages},
        "rustc": output("rustc", "--version").split()[1],
        **crates,
        "libcurl": output("curl-config", "--version").split()[1],
        "C compiler": output("cc", "-dumpfullversion"),
        "Go": output("go", "version").split()[2].removeprefix("go"),
        "Go x/oauth2": output("dpkg-query", "-W", "-f", "${Version}", "golang-golang-x-oauth2-dev"),
    }


def installed(packages: tuple[str, ...]) -> dict[str, float]:
    """Megabytes of these Python packages and of all that they need, and how many they are."""
    needed: set[str] = set()
    wanted = [metadata.distribution(package) for package in packages]
    size = 0
    while wanted:
        distribution = wanted.pop()
        if distribution.name in needed:
            continue
        needed.add(distribution.name)
        files = [file for file in distribution.files or [] if file.suffix != ".pyc"]
        size += sum(Path(str(file.locate())).stat().st_size for file in files)
        for requirement in distribution.requires or []:
            name = re.match(r"[\w.-]+", requirement)
            if name and "extra ==" not in requirement:
                # What another Python needs is not there.
                wanted += metadata.Distribution.discover(name=name[0])
    return {"size": size / 1e6, "packages": len(needed)}
