"""What a pickled provider is made again with: the same environment or file, in the process that
unpickles it."""

from __future__ import annotations

from typing import Any

from clazar_auth._native import TokenProvider


def provider(options: dict[str, Any], from_env: bool) -> TokenProvider:
    return TokenProvider.from_env(**options) if from_env else TokenProvider(**options)
