"""What a provider tells the callable `on_event`: the same as the log, at the same time."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import logging
import pickle
import sys
import threading
import time
import weakref
from typing import Any

import pytest
from helpers import HeldServer, python, until

import clazar_auth
from clazar_auth import Event, TokenProvider
from clazar_auth._native import Pending
from clazar_auth.testing import Sandbox

FIRST = Event._fields.index("client_id")


class Listener:
    """Keeps the events, and the thread that each came on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.threads: set[int] = set()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_an_event_has_what_the_record_has(
    sandbox: Sandbox, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clazar_auth")
    provider = sandbox.provider(on_event=listener)
    sandbox.answer_next(429, headers={"Retry-After": "100"})
    before = time.time()
    with pytest.raises(clazar_auth.RateLimitedError) as caught:
        provider.token()
    provider.refresh()
    failed, refreshed = listener.events
    for event, record in zip(listener.events, caplog.records, strict=True):
        attributes = {f"clazar_{name}": value for name, value in event._asdict().items()}
        assert attributes.pop("clazar_kind") == vars(record)["clazar_event"]
        assert attributes.pop("clazar_level") == record.levelname.lower()
        assert attributes.pop("clazar_message") == record.getMessage()
        assert attributes.items() <= vars(record).items()
    assert failed[:3] == ("refresh_failed", "warning", failed.message)
    assert failed[FIRST:-2] == (
        sandbox.client_id,
        sandbox.auth_url,
        "empty",
        "RateLimitedError",
        429,
        caught.value.retry_after,
        None,
    )
    assert refreshed[:2] == ("refreshed", "info")
    assert (refreshed.cause, refreshed.error, refreshed.http_status) == ("refresh", None, None)
    assert refreshed.expires_in is not None and 86_300 < refreshed.expires_in <= 86_400
    for event in listener.events:
        assert event.requested_at is not None and event.duration is not None
        assert before - 1 < event.requested_at <= time.time() + 1
        assert 0 < event.duration < 60


def ended(provider: TokenProvider) -> None:
    """Let a token request end, of which nothing is told yet."""
    pending = provider._ask(None)
    assert isinstance(pending, Pending)
    until(pending.done)


def test_a_duration_is_that_of_the_request(listener: Listener) -> None:
    with Sandbox(delay=0.3) as sandbox:
        provider = sandbox.provider(on_event=listener)
        before = time.time()
        ended(provider)
        after = time.time()
        assert listener.events == []
        provider.token()
        [event] = listener.events
    assert event.requested_at is not None and event.duration is not None
    assert event.duration >= 0.3
    # Clocks are read one after the other.
    assert before - 0.1 < event.requested_at
    assert event.requested_at + event.duration < after + 0.1


def test_a_token_from_the_store_is_of_no_request(
    sandbox: Sandbox, listener: Listener, tmp_path: Any
) -> None:
    store = tmp_path / "store"
    sandbox.provider(store=store).token()
    sandbox.provider(store=store, on_event=listener).token()
    [event] = listener.events
    assert (event.kind, event.requested_at, event.duration) == ("refreshed", None, None)


def test_a_request_that_was_given_up_has_a_duration(listener: Listener) -> None:
    with Sandbox(delay=60) as sandbox:
        provider = sandbox.provider(on_event=listener, timeout=0.5)
        with pytest.raises(clazar_auth.AuthTimeoutError):
            provider.token()
        [event] = listener.events
    assert event.error == "AuthTimeoutError"
    assert event.duration is not None and 0.4 < event.duration < 30


def test_it_is_called_by_the_next_call(listener: Listener) -> None:
    with HeldServer() as server:
        provider = TokenProvider("id", "not-a-real-secret", auth_url=server.url, on_event=listener)
        with pytest.raises(clazar_auth.AuthTimeoutError):
            provider.token(timeout=0)
        until(lambda: server.requests() == 1)
        server.go_on.set()
        until(lambda: provider.peek() and listener.events)
    assert listener.threads == {threading.get_ident()}


def test_close_brings_what_is_left(listener: Listener) -> None:
    with HeldServer() as server:
        provider = TokenProvider("id", "not-a-real-secret", auth_url=server.url, on_event=listener)
        server.go_on.set()
        ended(provider)
        assert listener.events == []
        provider.close()
    assert listener.kinds() == ["refreshed"]


def test_a_task_that_waited_brings_its_event(sandbox: Sandbox, listener: Listener) -> None:
    provider = sandbox.provider(on_event=listener)
    asyncio.run(provider.token_async())
    assert listener.kinds() == ["refreshed"]
    assert listener.threads == {threading.get_ident()}


def test_it_may_call_the_provider(sandbox: Sandbox) -> None:
    depth: list[int] = []
    deepest = 0

    def call(_event: Event) -> None:
        nonlocal deepest
        depth.append(1)
        deepest = max(deepest, len(depth))
        provider.authorization()
        provider.refresh()
        provider.stats()
        depth.pop()

    provider = sandbox.provider(on_event=call)
    for _ in range(3):
        assert provider.token().value
    assert deepest == 1
    assert sandbox.requests() == 4


def test_it_may_close_the_provider(sandbox: Sandbox) -> None:
    def close(_event: Event) -> None:
        provider.close()

    provider = sandbox.provider(on_event=close)
    assert provider.token().value
    with pytest.raises(clazar_auth.ClosedError):
        provider.token()


def test_no_call_of_another_thread_waits_for_it(sandbox: Sandbox) -> None:
    is_in, go_on = threading.Event(), threading.Event()

    def block(_event: Event) -> None:
        is_in.set()
        assert go_on.wait(60)

    provider = sandbox.provider(on_event=block)
    thread = threading.Thread(target=provider.token)
    thread.start()
    assert is_in.wait(60)
    assert provider.token().value and provider.stats().empty.succeeded == 1
    go_on.set()
    thread.join()


def test_its_exception_harms_no_call_and_no_other_event(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that others may enter, and a new token, are told at one time."""
    failures = []
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: failures.append(failure.exc_value))

    def fail(event: Event) -> None:
        raise RuntimeError(event.kind)

    tmp_path.chmod(0o755)
    with Sandbox() as sandbox:
        assert sandbox.provider(store=tmp_path, on_event=fail).token().value
    assert [str(failure) for failure in failures] == ["store_error", "refreshed"]


def test_ctrl_c_in_it_is_not_lost(sandbox: Sandbox) -> None:
    def interrupt(_event: Event) -> None:
        raise KeyboardInterrupt

    provider = sandbox.provider(on_event=interrupt)
    with pytest.raises(KeyboardInterrupt):
        provider.token()
    assert provider.token().value


def test_nothing_secret_is_told(sandbox: Sandbox, listener: Listener) -> None:
    provider = sandbox.provider(on_event=listener)
    sandbox.answer_next(400, f'{{"error": "{sandbox.client_secret}"}}'.encode())
    with pytest.raises(clazar_auth.RejectedError):
        provider.token()
    token = provider.refresh()
    assert listener.kinds() == ["refresh_failed", "refreshed"]
    told = json.dumps([event._asdict() for event in listener.events])
    assert sandbox.client_secret not in told and token.value not in told


def test_what_cannot_be_called_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match="^on_event must be a callable, not str$"):
        sandbox.provider(on_event="print")

    async def listen(event: clazar_auth.Event) -> None: ...

    class Listening:
        async def __call__(self, event: clazar_auth.Event) -> None: ...

    for callable in (listen, functools.partial(listen), Listening(), Listening().__call__):
        expected = "^on_event must be a plain callable, not a coroutine function$"
        with pytest.raises(TypeError, match=expected):
            sandbox.provider(on_event=callable)
    with pytest.raises(TypeError, match="unexpected keyword argument 'on_event'"):
        clazar_auth.authenticate("id", "secret", on_event=print)  # type: ignore[call-arg]


def test_from_env_takes_it(
    sandbox: Sandbox, sandbox_environment: dict[str, str], listener: Listener
) -> None:
    with TokenProvider.from_env(on_event=listener) as provider:
        provider.token()
    assert listener.kinds() == ["refreshed"]


def told(event: Event) -> None:
    _told.append(event)


_told: list[Event] = []


def test_it_is_pickled_with_the_provider(sandbox_environment: dict[str, str]) -> None:
    _told.clear()
    pickle.loads(pickle.dumps(TokenProvider.from_env(on_event=told))).token()
    assert [event.kind for event in _told] == ["refreshed"]


def test_a_provider_and_its_listener_are_collected(sandbox: Sandbox) -> None:
    class Holder:
        def __init__(self) -> None:
            self.provider = sandbox.provider(on_event=self.told)

        def told(self, _event: Event) -> None:
            pass

    holder = Holder()
    holder.provider.token()
    gone = weakref.ref(holder.provider)
    del holder
    gc.collect()
    assert gone() is None


def test_logging_is_not_imported_for_it() -> None:
    code = """
import sys
from clazar_auth.testing import Sandbox
events = []
with Sandbox() as sandbox:
    sandbox.provider(on_event=events.append).token()
print(events[0].kind, "logging" in sys.modules)
"""
    assert python(code, "-I").stdout == "refreshed False\n"
