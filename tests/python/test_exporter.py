"""An exporter with requests and retries: outages of the API, refused tokens and a refused secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import LONG

from clazar_auth.testing import Sandbox

EXPORTER = Path(__file__).with_name("programs") / "exporter.py"
LISTS = ["listings", "buyers", "contracts", "private_offers", "opportunities"]


def export(sandbox: Sandbox, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "error", str(EXPORTER), *LISTS]
    environment = {**environment, "CLAZAR_API": sandbox.url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG)


def test_outages_are_outlasted(sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    sandbox.answer_next(503)
    for path in ("/listings/", "/buyers/"):
        sandbox.answer_next(503, path=path)
        sandbox.answer_next(429, headers={"Retry-After": "0"}, path=path)
    done = export(sandbox, sandbox_environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == dict.fromkeys(LISTS, 3)
    assert sandbox.requests() == 2, "one was answered by 503, and none more was sent"
    assert sandbox.requests("/listings/") == 3 + 2


def test_a_refused_token_is_replaced_once(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    sandbox.answer_next(401, path="/contracts/")
    done = export(sandbox, sandbox_environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == dict.fromkeys(LISTS, 3)
    assert sandbox.requests() == 2


@pytest.mark.parametrize("status", [502, 504])
def test_an_api_that_stays_away_is_the_fault_of_the_api(
    sandbox: Sandbox, sandbox_environment: dict[str, str], status: int
) -> None:
    for _ in range(4):
        sandbox.answer_next(status, path="/buyers/")
    done = export(sandbox, sandbox_environment)
    assert done.returncode == 1
    assert "no records: " in done.stderr and "too many" in done.stderr


def test_a_refused_secret_is_told_in_one_line(
    sandbox: Sandbox, sandbox_environment: dict[str, str]
) -> None:
    sandbox.rotate_secret()
    done = export(sandbox, sandbox_environment)
    assert done.returncode == 2
    assert done.stderr.startswith("no token: ") and done.stderr.count("\n") == 1
    assert sandbox_environment["CLAZAR_CLIENT_SECRET"] not in done.stderr
    assert sandbox.requests() == 1
