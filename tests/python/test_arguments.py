"""An argument that cannot be read is named, and nothing of it is shown: it may be a secret."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from options import LISTS, OF_A_PROVIDER, PATHS, TEXTS

import clazar_auth
from clazar_auth import TokenProvider, authenticate
from clazar_auth.testing import Sandbox, StaticProvider

PACKAGE = str(Path(clazar_auth.__file__).parent)
SECRET = "not-a-real-secret-0123456789abcdef"
BROKEN = SECRET + "\udcff"
"""What os.environ gives for a byte that is not UTF-8."""
NO_TEXT = SECRET + "\ud800"
"""What no path is either."""

GIVEN = ("client_id", "client_secret")
UNREAD = ("client_secret_file", "client_secret_fallback")
"""What a StaticProvider does without."""
KEYWORDS = tuple(name for name in (*TEXTS, *LISTS, *PATHS) if name not in GIVEN)

Call = Callable[[dict[str, Any]], object]


def provider(options: dict[str, Any]) -> object:
    return TokenProvider(**{"client_id": "id", "client_secret": SECRET[:20], **options})


def token(options: dict[str, Any]) -> object:
    return authenticate(**{"client_id": "id", "client_secret": SECRET[:20], **options})


def from_env(options: dict[str, Any]) -> object:
    return TokenProvider.from_env(**options)


def sandbox_provider(options: dict[str, Any]) -> object:
    with Sandbox() as sandbox:
        return sandbox.provider(**options)


def static(options: dict[str, Any]) -> object:
    return StaticProvider(**options)


def cases() -> Iterator[object]:
    calls: dict[Call, tuple[str, ...]] = {
        provider: (*GIVEN, *KEYWORDS),
        token: (*GIVEN, *(name for name in KEYWORDS if name not in OF_A_PROVIDER)),
        from_env: KEYWORDS,
        sandbox_provider: KEYWORDS,
        static: ("value", *(name for name in KEYWORDS if name not in UNREAD)),
    }
    for call, names in calls.items():
        for name in names:
            values = [NO_TEXT] if name in PATHS else [BROKEN, NO_TEXT]
            for value in values:
                yield pytest.param(call, name, value, id=f"{call.__name__}-{name}-{value[-1]!a}")


def shown(error: BaseException) -> Iterator[object]:
    """All that a log, a debugger or an error tracker may show of it."""
    yield from (str(error), repr(error), error.args, vars(error), getattr(error, "__notes__", None))
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(PACKAGE):
            yield frame.f_locals
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from shown(other)


def holds(error: BaseException, text: str) -> bool:
    return any(text in repr(part) for part in shown(error))


@pytest.mark.usefixtures("sandbox_environment")
@pytest.mark.parametrize(("call", "name", "value"), list(cases()))
def test_what_is_no_text_is_named_and_not_shown(call: Call, name: str, value: str) -> None:
    argument = ["api.example", value] if name in LISTS else value
    with pytest.raises(clazar_auth.ConfigurationError) as caught:
        call({name: argument})
    assert str(caught.value).startswith(f"{name} holds a lone surrogate")
    assert not holds(caught.value, SECRET)


def test_a_path_like_object_is_no_way_round() -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="^client_secret_file holds") as caught:
        TokenProvider("id", client_secret_file=Path(NO_TEXT))
    assert not holds(caught.value, SECRET)


def test_other_methods_do_the_same(sandbox: Sandbox) -> None:
    calls: dict[str, Callable[[], object]] = {
        "url": lambda: sandbox.provider().check_url(f"https://api.clazar.io/?key={BROKEN}"),
        "path": lambda: sandbox.requests(BROKEN),
        "headers": lambda: sandbox.answer_next(200, headers={"X-Key": BROKEN}),
    }
    for name, call in calls.items():
        with pytest.raises(clazar_auth.ConfigurationError, match=f"^{name} holds") as caught:
            call()
        assert not holds(caught.value, SECRET)


def test_what_is_wrong_with_the_text_is_not_shown_in_frames_either(sandbox: Sandbox) -> None:
    """Nor is what the core refuses later."""
    calls: list[Callable[[], object]] = [
        lambda: sandbox.provider(client_secret_fallback=SECRET + "\n"),
        lambda: StaticProvider(SECRET + "\n"),
        lambda: StaticProvider(user_agent=SECRET + "\n"),
    ]
    for call in calls:
        with pytest.raises(clazar_auth.ConfigurationError) as caught:
            call()
        assert not holds(caught.value, SECRET)


def test_an_int_beyond_any_float_is_no_time(sandbox: Sandbox) -> None:
    for call in (sandbox.provider().token, sandbox.provider):
        for sign in (1, -1):
            with pytest.raises(clazar_auth.ConfigurationError, match="timeout"):
                call(timeout=sign * 10**400)


@pytest.mark.usefixtures("sandbox_environment")
def test_wrong_types_are_told_in_the_words_of_python(sandbox: Sandbox) -> None:
    wrong = SECRET.encode()
    calls: dict[str, Callable[[], object]] = {
        "client_id must be str, not NoneType": lambda: provider({"client_id": None}),
        "client_secret must be str, not bytes": lambda: provider({"client_secret": wrong}),
        "proxy must be str, not int": lambda: from_env({"proxy": 1}),
        "user_agent must be str, not list": lambda: token({"user_agent": [SECRET]}),
        "timeout must be a number, not str": lambda: provider({"timeout": SECRET}),
        "timeout must be a number, not bytes": lambda: sandbox.provider().token(timeout=wrong),  # type: ignore[arg-type]
        "wait must be a number, not str": lambda: sandbox.provider().token(wait=SECRET),  # type: ignore[arg-type]
        "token must be AccessToken, not str": lambda: sandbox.provider().invalidate(SECRET),  # type: ignore[arg-type]
        "store must be str or os.PathLike, not bytes": lambda: provider({"store": wrong}),
        "ca_file must be str or os.PathLike, not int": lambda: token({"ca_file": 1}),
        "value must be str, not bytes": lambda: static({"value": wrong}),
        "url must be str, not bytes": lambda: sandbox.provider().check_url(wrong),  # type: ignore[arg-type]
        "blob must be bytes, not str": lambda: sandbox.provider().unseal(SECRET),  # type: ignore[arg-type]
        "body must be bytes, not list": lambda: sandbox.answer_next(200, [1, 2]),  # type: ignore[arg-type]
        "headers must be dict, not list": lambda: sandbox.answer_next(200, headers=[]),  # type: ignore[arg-type]
        "headers must be str, not int": lambda: sandbox.answer_next(200, headers={"X": 1}),  # type: ignore[dict-item]
    }
    for words, call in calls.items():
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == words
        assert not holds(caught.value, SECRET)


def test_what_else_goes_wrong_in_an_argument_is_passed_on() -> None:
    class Unwilling:
        def __fspath__(self) -> str:
            raise KeyboardInterrupt

        def __float__(self) -> float:
            raise KeyboardInterrupt

    for name in ("client_secret_file", "timeout"):
        with pytest.raises(KeyboardInterrupt):
            TokenProvider("id", **{name: Unwilling()})  # type: ignore[arg-type]


def test_bytes_of_each_kind_are_taken(sandbox: Sandbox) -> None:
    blob = sandbox.provider().seal()
    for kind in (bytes, bytearray, memoryview):
        other = sandbox.provider()
        other.unseal(kind(blob))
        assert other.peek() is not None
