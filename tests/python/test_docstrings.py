"""Everything public has a docstring, and each docstring an example that does what it says."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import clazar_auth
from clazar_auth import integrations
from clazar_auth.testing import Sandbox

MODULES = ["clazar_auth", "clazar_auth.errors", "clazar_auth.testing", "clazar_auth.integrations"]
MODULES += [
    f"clazar_auth.integrations.{module.name}"
    for module in pkgutil.iter_modules(integrations.__path__)
    if not module.name.startswith("_")
]


def is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).startswith("clazar_auth")


def contents(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions that a module offers."""
    for name in getattr(module, "__all__", vars(module)):
        thing = getattr(module, name)
        if not name.startswith("_") and is_ours(thing):
            yield f"{module.__name__}.{name}", thing


def members(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """The methods and properties of a class that are its own or another class's of ours."""
    for base in inspect.getmro(thing) if inspect.isclass(thing) else ():
        for member in sorted(vars(base)) if is_ours(base) else ():
            value = getattr(thing, member)
            is_documented_above = member in getattr(thing, "_fields", ())
            if member.startswith("_") or is_documented_above:
                continue
            if callable(value) or inspect.isdatadescriptor(value):
                yield f"{name}.{member}", value


def public() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in map(import_module, MODULES):
        found[module.__name__] = module
        for name, thing in contents(module):
            found[name] = thing
            found.update(members(name, thing))
    return found


PUBLIC = public()


def test_what_is_looked_at() -> None:
    """That the walk passes nothing over, by an object of each sort."""
    assert {
        "clazar_auth.authenticate",
        "clazar_auth.AccessToken.expires_at",
        "clazar_auth.Stats",
        "clazar_auth.TokenProvider.from_env",
        "clazar_auth.TokenProvider.token",
        "clazar_auth.errors.TlsError",
        "clazar_auth.integrations.requests.Auth",
        "clazar_auth.testing.Sandbox.answer_next",
        "clazar_auth.testing.StaticProvider.refresh",
    } <= PUBLIC.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring(name: str, sandbox: Sandbox, sandbox_environment: dict[str, str]) -> None:
    text = inspect.getdoc(PUBLIC[name])
    assert text, "it has no docstring"
    assert "+SKIP" not in text, "its example is not run"
    with sandbox.provider() as provider:
        names = {"clazar_auth": clazar_auth, "provider": provider, "sandbox": sandbox}
        here = text.replace("https://api.clazar.io", sandbox.url)
        test = doctest.DocTestParser().get_doctest(here, names, name, None, None)
        assert test.examples, "its docstring has no example"
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        assert runner.run(test, out=report.append).failed == 0, "".join(report)
