"""The manifest and the unit of docs/fleet.md, and what it says of the places where they put a program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import python
from kubelet import Mount

from clazar_auth import TokenProvider
from clazar_auth._variables import VARIABLES
from clazar_auth.testing import Sandbox

PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text()
SECRET = "not-a-real-secret-0123456789abcdef"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


class Manifest:
    def __init__(self) -> None:
        self.secret, deployment = yaml.safe_load_all(block("yaml"))
        self.pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]

    def value(self, variable: dict[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference["name"] == self.secret["metadata"]["name"]
        return str(self.secret["stringData"][reference["key"]])

    def environment(self) -> dict[str, str]:
        return {variable["name"]: self.value(variable) for variable in self.container["env"]}


def test_the_manifest_mounts_the_secret_where_the_program_looks(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Manifest()
    (mounted,), (volume,) = manifest.container["volumeMounts"], manifest.pod["volumes"]
    assert mounted["name"] == volume["name"] and "subPath" not in mounted
    assert volume["secret"]["secretName"] == manifest.secret["metadata"]["name"]
    (item,) = volume["secret"]["items"]
    assert item["key"] in manifest.secret["stringData"]
    mount = Mount(tmp_path / "mounted", volume["secret"]["defaultMode"])
    mount.write(**{item["path"]: sandbox.client_secret})

    environment = manifest.environment()
    assert set(environment) <= set(VARIABLES)
    for name, value in environment.items():
        there = value.replace(mounted["mountPath"], str(mount.folder))
        monkeypatch.setenv(name, there)
    # Nothing is there yet that would answer; that it is a URL is seen at once.
    TokenProvider.from_env().close()
    monkeypatch.setenv("CLAZAR_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("CLAZAR_AUTH_URL", sandbox.auth_url)
    assert TokenProvider.from_env(store="memory").authorization().startswith("Bearer ")


def test_each_url_on_the_page_is_one() -> None:
    urls = re.findall(r"`(rediss[^ `]*://[^ `]+)`", PAGE)
    assert len(urls) > 10
    for url in urls:
        TokenProvider("id", SECRET, store=url.replace(":port", ":6379")).close()


def test_systemd_has_nothing_against_the_unit(tmp_path: Path) -> None:
    unit = block("ini")
    assert set(re.findall(r"CLAZAR_\w+", unit)) <= set(VARIABLES)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze; `tests/tools.sh` installs it")
    program = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert program is not None
    file = tmp_path / "my-service.service"
    file.write_text(unit.replace(program[1], sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
    # What it does not know it only mentions.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_memory_is_both_written_and_executed(sandbox_environment: dict[str, str]) -> None:
    refuse = """
import ctypes, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    sys.exit("older than Linux 6.3")
import mmap
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    import clazar_auth
    print(clazar_auth.TokenProvider.from_env(store="file").authorization())
"""
    done = python(refuse)
    if "older than" in done.stderr:
        pytest.skip("this kernel cannot refuse it: " + done.stderr)
    assert done.stdout.startswith("Bearer "), done.stderr


def test_a_folder_is_made_where_others_can_enter_and_theirs_is_not_used(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As an emptyDir of Kubernetes, or a runtime directory with systemd's default mode."""
    shared = tmp_path / "empty"
    shared.mkdir()
    shared.chmod(0o777)
    with sandbox.provider(store=str(shared)) as provider:
        provider.token()
    assert "that other users can enter" in caplog.text
    assert list(shared.iterdir()) == []
    for _ in range(2):
        with sandbox.provider(store=str(shared / "tokens")) as provider:
            provider.token()
    assert sandbox.requests() == 2


def test_a_store_is_a_folder_and_no_link(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With DynamicUser=yes and RuntimeDirectoryPreserve= systemd makes the runtime directory a link."""
    (tmp_path / "private").mkdir(mode=0o700)
    link = tmp_path / "my-service"
    link.symlink_to("private")
    with sandbox.provider(store=str(link)) as provider:
        provider.token()
    assert "is a link; name the folder that it leads to, or one in that" in caplog.text
    for _ in range(2):
        with sandbox.provider(store=str(link / "tokens")) as provider:
            provider.token()
    assert sandbox.requests() == 2
