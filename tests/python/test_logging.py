"""What the provider tells about itself: logging and stats()."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import HeldServer, python, until

import clazar_auth
from clazar_auth import Requests
from clazar_auth.testing import Sandbox

NAME = "clazar_auth"


class Collector(logging.Handler):
    """Keeps the records, and the thread that each came on."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.threads: set[int] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.threads.add(threading.get_ident())

    def levels(self) -> list[str]:
        return [record.levelname for record in self.records]

    def messages(self) -> str:
        return "\n".join(record.getMessage() for record in self.records)


@pytest.fixture
def collector() -> Iterator[Collector]:
    yield from listen(Collector())


def listen(handler: Collector) -> Iterator[Collector]:
    logger = logging.getLogger(NAME)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_new_token_is_info(sandbox: Sandbox, collector: Collector) -> None:
    provider = sandbox.provider()
    token = provider.token()
    until(lambda: provider.stats() and collector.records)
    [record] = collector.records
    assert (record.levelname, record.name) == ("INFO", NAME)
    fingerprints = re.findall(r"\b[0-9a-f]{8}\b", record.getMessage())
    assert fingerprints == [hashlib.sha256(token.value.encode()).hexdigest()[:8]]
    assert sandbox.auth_url in record.getMessage()


def facts(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name.startswith("clazar_")}


def test_a_record_has_the_facts_as_attributes(sandbox: Sandbox, collector: Collector) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(429, headers={"Retry-After": "100"})
    with pytest.raises(clazar_auth.RateLimitedError) as caught:
        provider.token()
    provider.refresh()
    until(lambda: provider.stats() and len(collector.records) == 2)
    failed, refreshed = map(facts, collector.records)
    for told in (failed, refreshed):
        assert isinstance(told.pop("clazar_requested_at"), float)
        assert isinstance(told.pop("clazar_duration"), float)
    assert failed == {
        "clazar_event": "refresh_failed",
        "clazar_client_id": sandbox.client_id,
        "clazar_auth_url": sandbox.auth_url,
        "clazar_cause": "empty",
        "clazar_error": "RateLimitedError",
        "clazar_http_status": 429,
        "clazar_retry_after": caught.value.retry_after,
        "clazar_expires_in": None,
    }
    expires_in = refreshed.pop("clazar_expires_in")
    assert isinstance(expires_in, float) and 86_300 < expires_in <= 86_400
    assert refreshed == {
        "clazar_event": "refreshed",
        "clazar_client_id": sandbox.client_id,
        "clazar_auth_url": sandbox.auth_url,
        "clazar_cause": "refresh",
        "clazar_error": None,
        "clazar_http_status": None,
        "clazar_retry_after": None,
    }


class AsJson(logging.Formatter):
    """As those do that write each attribute of the program's own."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"message": record.getMessage()} | facts(record))


def test_the_facts_are_for_filters_and_for_json(sandbox: Sandbox) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AsJson())
    handler.addFilter(lambda record: getattr(record, "clazar_http_status", None) == 400)
    logger = logging.getLogger(NAME)
    logger.addHandler(handler)
    try:
        provider = sandbox.provider()
        sandbox.answer_next(400)
        with pytest.raises(clazar_auth.RejectedError):
            provider.token()
        provider.refresh()
        until(lambda: provider.stats() and stream.getvalue())
    finally:
        logger.removeHandler(handler)
    [line] = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["clazar_event"], told["clazar_error"]) == ("refresh_failed", "RejectedError")
    assert "HTTP 400" in told["message"]


ONE_CORE = """
import logging, os
from clazar_auth.testing import Sandbox

records = []
logger = logging.getLogger("clazar_auth")
logger.setLevel(logging.DEBUG)
logger.addFilter(records.append)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
with Sandbox() as sandbox:
    for _ in range(1000):
        sandbox.provider().token()
print(len(records))
"""


def test_a_call_that_waited_brings_its_record() -> None:
    """A program may make no other call that could bring it later."""
    assert python(ONE_CORE).stdout == "1000\n"


def test_a_failure_is_a_warning(sandbox: Sandbox, collector: Collector) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(400, b'{"error": "invalid_request"}')
    with pytest.raises(clazar_auth.RejectedError):
        provider.token()
    until(lambda: provider.stats() and collector.records)
    [record] = collector.records
    assert record.levelname == "WARNING"
    assert "400" in record.getMessage()
    assert "invalid_request" in record.getMessage()
    for _ in range(3):
        with pytest.raises(clazar_auth.RejectedError):
            provider.token()
    assert len(collector.records) == 1, "a stored error is no news"


def test_nothing_secret_is_told(sandbox: Sandbox, collector: Collector) -> None:
    provider = sandbox.provider()
    secrets = [sandbox.client_secret]
    echo = f'{{"error": "{sandbox.client_secret}", "got": "{sandbox.client_secret}"}}'.encode()
    for status in (400, 200, 401):
        sandbox.answer_next(status, echo)
        with pytest.raises(clazar_auth.ClazarAuthError):
            provider.refresh()
    for _ in range(3):
        secrets.append(provider.refresh().value)
    until(lambda: provider.stats() and len(collector.records) == 6)
    assert collector.levels() == ["WARNING"] * 3 + ["INFO"] * 3
    for record in collector.records:
        told = repr(record.__dict__)
        assert not any(secret in told for secret in secrets)
        assert not any(part in told for secret in secrets[1:] for part in secret.split("."))


def test_a_background_renewal_is_told_at_the_next_call(collector: Collector) -> None:
    with HeldServer() as server:
        provider = server.provider()
        with pytest.raises(clazar_auth.AuthTimeoutError):
            provider.token(timeout=0)
        until(lambda: server.requests() == 1)
        server.go_on.set()
        until(lambda: provider.peek() and collector.records)
        assert collector.levels() == ["INFO"]
        assert collector.threads == {threading.get_ident()}


def test_a_renewal_ahead_of_time_is_told(collector: Collector) -> None:
    with Sandbox(lifetime=2) as sandbox:
        provider = sandbox.provider()
        until(lambda: provider.authorization() and len(collector.records) == 2)
        assert collector.levels() == ["INFO", "INFO"]
        assert collector.threads == {threading.get_ident()}
        stats = provider.stats()
        assert stats.empty.succeeded + stats.proactive.succeeded == sandbox.requests()


class Caller(Collector):
    """A handler that calls the provider itself, as one that ships its records over HTTP would."""

    def __init__(self, provider: clazar_auth.TokenProvider) -> None:
        super().__init__()
        self.provider = provider
        self.depth = self.deepest = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        super().emit(record)
        try:
            self.provider.authorization()
            self.provider.stats()
        except clazar_auth.ClazarAuthError:
            pass
        self.depth -= 1


def test_a_handler_may_call_the_provider(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    for caller in listen(Caller(provider)):
        assert isinstance(caller, Caller)
        sandbox.answer_next(400)
        with pytest.raises(clazar_auth.RejectedError):
            provider.token()
        for _ in range(5):
            provider.refresh()
        until(lambda: provider.stats() and len(caller.records) == 6)
        assert caller.levels() == ["WARNING"] + ["INFO"] * 5
        # A record may come while an earlier one is in hand, but not one for each call.
        assert caller.deepest <= 2
        assert sandbox.requests() == 6


def test_a_handler_that_fails_harms_no_call(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = []
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: failures.append(failure.exc_value))
    provider = sandbox.provider()

    def fail(_record: logging.LogRecord) -> bool:
        raise RuntimeError("a filter failed")

    logger = logging.getLogger(NAME)
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    logger.addFilter(fail)
    try:
        assert provider.token().value
        until(lambda: provider.token() and failures)
    finally:
        logger.removeFilter(fail)
    assert [str(failure) for failure in failures] == ["a filter failed"]


def test_a_handler_that_fails_loses_one_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that others may enter, and a new token, are told at one time."""
    failures = []
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: failures.append(failure.exc_value))

    class Failing(Collector):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            raise RuntimeError(record.levelname)

    tmp_path.chmod(0o755)
    with Sandbox() as sandbox:
        provider = sandbox.provider(store=tmp_path)
        handler = Failing()
        for _ in listen(handler):
            provider.token()
    assert handler.levels() == ["WARNING", "INFO"]
    assert [str(failure) for failure in failures] == ["WARNING", "INFO"]


PROGRAM = """
import clazar_auth{extra}
from clazar_auth.testing import Sandbox
with Sandbox() as sandbox:
    provider = sandbox.provider()
    sandbox.answer_next(400)
    try:
        provider.token()
    except clazar_auth.RejectedError:
        pass
    provider.refresh()
    while provider.stats().refresh.succeeded == 0:
        pass
    for _ in range(100):
        provider.token()
"""


NO_SET_UP = ["", ", logging", "; import logging; logging.getLogger('clazar_auth')"]


@pytest.mark.parametrize("extra", NO_SET_UP)
def test_a_program_that_sets_up_no_logging_sees_nothing(extra: str) -> None:
    result = python(PROGRAM.format(extra=extra), "-X", "dev", "-W", "error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_logging_is_not_imported_for_nothing() -> None:
    code = PROGRAM.format(extra=", sys") + "\nprint('logging' in sys.modules)"
    assert python(code, "-I").stdout == "False\n"


SET_UP = "; import logging; logging.basicConfig(level='INFO', format='%(name)s %(levelname)s')"


def test_a_program_that_sets_up_logging_sees_it() -> None:
    result = python(PROGRAM.format(extra=SET_UP))
    assert result.stderr.split("\n") == ["clazar_auth WARNING", "clazar_auth INFO", ""]


def test_stats(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    none = provider.stats().empty
    stats = provider.stats()
    assert (none.succeeded, none.failed) == (0, 0)
    assert stats.empty == stats.proactive == stats.refresh == stats.invalidated == none
    assert (stats.waited, stats.served_stale, stats.invalidations) == (0, 0, 0)
    assert stats.expires_in is None and stats.backoff is None and stats.refresh_in == 0
    assert stats == provider.stats()

    provider.token()
    provider.token()
    provider.invalidate(provider.token())
    assert provider.stats().expires_in is None
    provider.token()
    provider.refresh()
    stats = provider.stats()
    assert counts(stats.empty) == counts(stats.invalidated) == counts(stats.refresh) == (1, 0)
    assert counts(stats.proactive) == (0, 0)
    assert (stats.waited, stats.served_stale, stats.invalidations) == (3, 0, 1)
    assert stats.expires_in is not None and 86_000 < stats.expires_in <= 86_400
    assert 82_000 < stats.refresh_in <= 84_600
    assert stats.backoff is None
    assert repr(stats).startswith("Stats(empty=Requests(succeeded=1, failed=0), proactive=")


def test_stats_of_failures(sandbox: Sandbox) -> None:
    provider = sandbox.provider()
    sandbox.answer_next(400)
    with pytest.raises(clazar_auth.RejectedError):
        provider.token()
    stats = provider.stats()
    assert counts(stats.empty) == (0, 1)
    # The first pause after a permanent failure: half of 30 s to all of it.
    assert stats.backoff is not None and 5 < stats.backoff <= 30
    # A tick of the clock later, so that a timer is not early.
    assert stats.backoff < stats.refresh_in < stats.backoff + 0.011
    with pytest.raises(clazar_auth.RejectedError) as caught:
        provider.token()
    assert caught.value.retry_after is not None
    assert 5 < caught.value.retry_after <= stats.backoff
    assert provider.stats().waited == 1

    provider.refresh()
    assert provider.stats().backoff is None
    sandbox.answer_next(429, headers={"Retry-After": "100"})
    with pytest.raises(clazar_auth.RateLimitedError):
        provider.refresh()
    stats = provider.stats()
    assert counts(stats.refresh) == (1, 1)
    # Up to 10 % and 3 s on top.
    assert stats.backoff is not None and 90 < stats.backoff <= 113
    assert provider.token().value, "the live token stays in use"


def test_stats_of_stale_tokens() -> None:
    with Sandbox(lifetime=3) as sandbox:
        provider = sandbox.provider()
        provider.token()
        sandbox.answer_next(400)
        until(lambda: provider.token() and sandbox.requests() == 2)
        until(lambda: provider.stats().proactive.failed == 1)
        assert provider.stats().served_stale > 0
        assert provider.stats().waited == 1


def counts(requests: Requests) -> tuple[int, int]:
    return requests.succeeded, requests.failed


class Interrupting(logging.Handler):
    """As a handler during which Ctrl-C is pressed."""

    def emit(self, record: logging.LogRecord) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_during_logging_is_not_lost(sandbox: Sandbox) -> None:
    logger = logging.getLogger(NAME)
    logger.addHandler(handler := Interrupting())
    logger.setLevel(logging.DEBUG)
    provider = sandbox.provider()
    try:
        with pytest.raises(KeyboardInterrupt):
            # The event may come a little later than the token.
            until(lambda: provider.token() and False)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert provider.token().value


def test_a_handler_that_refreshes_does_not_call_itself(sandbox: Sandbox) -> None:
    provider = sandbox.provider()

    class Refreshing(Collector):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            provider.refresh()

    handler = Refreshing()
    for _ in listen(handler):
        provider.token()
        assert sandbox.requests() == 2
        provider.peek()
        assert len(handler.records) == 2


class RefreshingOnce(Collector):
    """What this brings about is told by the next call."""

    def __init__(self, provider: clazar_auth.TokenProvider) -> None:
        super().__init__()
        self.provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if len(self.records) == 1:
            self.provider.refresh()


Call = Callable[[clazar_auth.TokenProvider, clazar_auth.AccessToken, bytes], object]
LAST_CALLS: dict[str, Call] = {
    "close": lambda provider, token, blob: provider.close(),
    "with": lambda provider, token, blob: provider.__exit__(),
    "invalidate": lambda provider, token, blob: provider.invalidate(token),
    "unseal": lambda provider, token, blob: provider.unseal(blob),
}


@pytest.mark.parametrize("name", LAST_CALLS)
def test_the_last_call_tells_what_is_left(sandbox: Sandbox, name: str) -> None:
    blob = sandbox.provider().seal()
    provider = sandbox.provider()
    for handler in listen(RefreshingOnce(provider)):
        token = provider.token()
        assert len(handler.records) == 1
        LAST_CALLS[name](provider, token, blob)
        assert len(handler.records) == 2


class Asking(Collector):
    """A handler that uses the provider for each record."""

    def __init__(self, provider: clazar_auth.TokenProvider) -> None:
        super().__init__()
        self.provider = provider
        self.answers: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        for call in (
            self.provider.token,
            self.provider.authorization,
            self.provider.headers,
            self.provider.seal,
            self.provider.peek,
            self.provider.stats,
        ):
            try:
                call()
                self.answers.append("done")
            except clazar_auth.ClazarAuthError as error:
                self.answers.append(type(error).__name__)
        if len(self.records) == 1:
            self.provider.refresh()
        if record.levelname == "WARNING":
            self.provider.close()


def test_a_handler_may_use_the_provider_in_each_event(tmp_path: Path) -> None:
    """A store that others may enter, a refused secret with a fallback, and a new token."""
    tmp_path.chmod(0o755)
    with Sandbox() as sandbox:
        provider = clazar_auth.TokenProvider(
            sandbox.client_id,
            "not-a-real-secret-0123456789abcdef",
            client_secret_fallback=sandbox.client_secret,
            auth_url=sandbox.auth_url,
            store=tmp_path,
        )
        handler = Asking(provider)
        for _ in listen(handler):
            provider.token()
        told = handler.messages()
        assert "other users can enter" in told and "fallback" in told and "got the token" in told
        assert handler.answers[0] == "done" and "ClosedError" in handler.answers
