"""What a pickled provider is made again with: the same environment or file, in the process that
unpickles it."""

from __future__ import annotations

from typing import Any

from clazar_auth._native import TokenProvider


def provider(client_id: str | None, keywords: dict[str, Any]) -> TokenProvider:
    if client_id is None:
        return TokenProvider.from_env(**keywords)
    return TokenProvider(client_id, **keywords)
