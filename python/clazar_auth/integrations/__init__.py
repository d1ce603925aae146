"""Adapters to HTTP libraries, and to those for metrics and traces. None is imported before it is used.

>>> auth = clazar_auth.integrations.httpx.Auth(provider)
>>> adapter = clazar_auth.integrations.aiohttp.middleware(provider)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clazar_auth.integrations import aiohttp, httpx, opentelemetry, prometheus, requests

__all__ = ["aiohttp", "httpx", "opentelemetry", "prometheus", "requests"]


def __getattr__(name: str) -> object:
    if name in __all__:
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
