"""What a pickled provider is made again with: the same environment or file, in the process that
unpickles it."""

from __future__ import annotations

from typing import Any

from clazar_auth._native import TokenProvider


def provider(options: dict[str, Any]) -> TokenProvider:
    client_id = options.pop("client_id", None)
    if client_id is None:
        return TokenProvider.from_env(**options)
    return TokenProvider(client_id, **options)
