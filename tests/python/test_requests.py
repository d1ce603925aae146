"""The provider as ``auth=`` of requests."""

from __future__ import annotations

import pytest
import requests

import clazar_auth
from clazar_auth.testing import Sandbox


def test_the_provider_is_an_auth_object(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for _ in range(2):
        response = requests.get(f"{sandbox.url}/listings/", auth=provider)
        assert response.status_code == 200
        assert response.json()["count"] == 3
    with requests.Session() as session:
        session.auth = provider
        records = {"request": [{"dimension": "requests", "quantity": 1}]}
        response = session.post(f"{sandbox.url}/metering/", json=records)
        assert response.json()["results"] == records["request"]
    assert sandbox.requests() == 1
    assert sandbox.requests("/listings/") == 2


def test_the_token_goes_to_no_other_host(sandbox: Sandbox) -> None:
    provider = sandbox.provider(allowed_hosts=["api.clazar.io"])
    with pytest.raises(clazar_auth.ConfigurationError, match="allowed_hosts"):
        requests.get(f"{sandbox.url}/listings/", auth=provider)
    assert sandbox.requests() == sandbox.requests("/listings/") == 0


def test_a_redirect_elsewhere_goes_without_the_token(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        location = f"{other.url}/listings/".replace("127.0.0.1", "localhost")
        sandbox.answer_next(302, headers={"Location": location}, path="/buyers/")
        response = requests.get(f"{sandbox.url}/buyers/", auth=sandbox.provider())
        assert response.status_code == 401
        assert other.requests("/listings/") == 1
