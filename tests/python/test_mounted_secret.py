"""A secret that Kubernetes mounts: it is replaced under a program that runs, and read anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import until
from kubelet import Mount

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.testing import Sandbox


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "mounted")


@contextmanager
def asked_all_the_time(provider: TokenProvider) -> Iterator[set[str]]:
    """The tokens that a caller gets, who has an error in the end if it ever gets one."""
    seen: set[str] = set()
    errors: list[clazar_auth.ClazarAuthError] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            try:
                seen.add(provider.token().value)
            except clazar_auth.ClazarAuthError as error:
                errors.append(error)
                return

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()
    assert not errors


def test_a_rotation_needs_no_restart(sandbox: Sandbox, mount: Mount) -> None:
    mount.write(secret=sandbox.client_secret)
    provider = TokenProvider(
        sandbox.client_id, client_secret_file=mount.folder / "secret", auth_url=sandbox.auth_url
    )
    first = provider.token().value
    with asked_all_the_time(provider) as seen:
        until(lambda: seen)
        new_secret = sandbox.rotate_secret()
        # For a minute or so the old one is still there.
        with pytest.raises(clazar_auth.InvalidCredentialsError):
            provider.refresh()
        mount.write(secret=new_secret)
        second = provider.refresh().value
        until(lambda: second in seen)
    assert seen == {first, second}
    # The first token, the refusal while the old secret was there, and another one before it was read anew.
    assert sandbox.requests() <= 4


def test_a_token_is_renewed_with_the_secret_that_is_there_by_then(
    sandbox: Sandbox, mount: Mount
) -> None:
    # So short that it is renewed within seconds.
    sandbox.set_lifetime(6)
    mount.write(secret=sandbox.client_secret)
    provider = TokenProvider(
        sandbox.client_id, client_secret_file=mount.folder / "secret", auth_url=sandbox.auth_url
    )
    with asked_all_the_time(provider) as seen:
        until(lambda: seen)
        mount.write(secret=sandbox.rotate_secret())
        until(lambda: len(seen) > 1)
        assert sandbox.requests() == 3, "one for each token, and the refusal"


def test_authorities_in_a_mounted_folder_are_read_anew(
    mount: Mount, tls_server: Callable[..., tuple[str, Path]]
) -> None:
    (_, old), (auth_url, new) = tls_server(), tls_server()
    mount.write(**{"ca.crt": old.read_text()})
    provider = TokenProvider(
        "id", "not-a-real-secret", ca_file=mount.folder, system_roots=False, auth_url=auth_url
    )
    with pytest.raises(clazar_auth.TlsError):
        provider.token()
    mount.write(**{"ca.crt": new.read_text()})
    assert provider.refresh().value == "not-a-real-token"
