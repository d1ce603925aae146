"""The pytest plugin of this package, found by pytest itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clazar_auth.testing import Sandbox


@pytest.fixture
def clazar_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A running clazar_auth.testing.Sandbox of this test's own, which the environment names: what
    TokenProvider.from_env() makes in this test, and in the processes it starts, meets it."""
    from clazar_auth._variables import VARIABLES
    from clazar_auth.testing import Sandbox
    from clazar_auth.testing._environment import without_proxy

    with Sandbox() as sandbox:
        # Of the machine's own options none is left.
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CLAZAR_AUTH_URL", sandbox.auth_url)
        monkeypatch.setenv("CLAZAR_CLIENT_ID", sandbox.client_id)
        monkeypatch.setenv("CLAZAR_CLIENT_SECRET", sandbox.client_secret)
        for name, value in without_proxy(os.environ).items():
            monkeypatch.setenv(name, value)
        yield sandbox
