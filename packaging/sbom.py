"""Prints what a build consists of, as CycloneDX: `sbom.py FEATURES`.

What only runs while it is built, such as macros, is in it with the scope "excluded". It names no path of the machine
and no moment but SOURCE_DATE_EPOCH, so two builds have the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from notices import linked, metadata, reached, target

NOT_SHIPPED = {"scope": "excluded"}


@cache
def checksums() -> dict[tuple[str, str], str]:
    """The SHA-256 of packages, by name and version."""
    section = r'name = "(.*)"\nversion = "(.*)"\nsource = .*\nchecksum = "(.*)"'
    found = re.findall(section, Path("Cargo.lock").read_text())
    return {(name, version): checksum for name, version, checksum in found}


def purl(package: dict[str, Any]) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package: dict[str, Any]) -> dict[str, Any]:
    found = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": purl(package),
    }
    checksum = checksums().get((package["name"], package["version"]))
    return found | ({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {})


def standard_library() -> dict[str, Any]:
    version = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    found = component({"name": "rust-std", "version": version, "license": "MIT OR Apache-2.0"})
    return found | dict.fromkeys(("bom-ref", "purl"), f"pkg:generic/rust-std@{version}")


def dependencies(packages: list[dict[str, Any]], data: dict[str, Any]) -> list[dict[str, Any]]:
    names = {package["id"]: purl(package) for package in packages}
    return [
        {
            "ref": names[node["id"]],
            "dependsOn": sorted(names[used] for used in node["dependencies"] if used in names),
        }
        for node in data["resolve"]["nodes"]
        if node["id"] in names
    ]


def main() -> None:
    features = sys.argv[1]
    data = metadata(features)
    shipped, all_used = linked(data), reached(data, {None, "build"}, set())
    root = next(package for package in data["packages"] if package["id"] == data["resolve"]["root"])
    components = [
        component(package) | ({} if package in shipped else NOT_SHIPPED) for package in all_used
    ]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, timezone.utc).isoformat(),
            "component": component(root),
            "properties": [
                {"name": "clazar-auth:features", "value": features},
                {"name": "clazar-auth:target", "value": target()},
            ],
        },
        "components": [standard_library(), *components],
        "dependencies": dependencies([root, *all_used], data),
    }
    print(json.dumps(bom, separators=(",", ":")))


if __name__ == "__main__":
    main()
