"""The three snippets of the API's documentation, with only the host changed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import requests

from clazar_auth.testing import Sandbox

NODE_MODULES = Path(__file__).parents[2] / "target" / "node" / "node_modules"

AXIOS = """
const axios = require('axios');
axios.post(process.argv[1], {
  client_id: process.argv[2],
  client_secret: process.argv[3],
}, {headers: {'Content-Type': 'application/json'}})
  .then(response => console.log(response.data.access_token))
  .catch(error => { console.error(error.message); process.exit(1); });
"""


def check(sandbox: Sandbox, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{sandbox.url}/listings/", headers=headers).status_code == 200
    assert sandbox.requests() == 1


def test_requests(sandbox: Sandbox) -> None:
    payload = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    headers = {"Content-Type": "application/json"}
    response = requests.post(sandbox.auth_url, json=payload, headers=headers)
    assert response.json()["token_type"] == "bearer"
    assert response.json()["expires_in"] == 86_400
    check(sandbox, response.json()["access_token"])


def test_curl(sandbox: Sandbox) -> None:
    payload = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    command = ["curl", "--silent", "--show-error", "--fail", "--request", "POST", sandbox.auth_url]
    command += ["--header", "Content-Type: application/json", "--data", json.dumps(payload)]
    check(sandbox, json.loads(subprocess.check_output(command, timeout=60))["access_token"])


@pytest.mark.node
def test_axios(sandbox: Sandbox) -> None:
    if not NODE_MODULES.is_dir():
        pytest.fail("axios is not installed; run `make test-python`")
    arguments = [sandbox.auth_url, sandbox.client_id, sandbox.client_secret]
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    command = ["node", "--eval", AXIOS, "--", *arguments]
    output = subprocess.check_output(command, env=environment, text=True, timeout=60)
    check(sandbox, output.strip())
