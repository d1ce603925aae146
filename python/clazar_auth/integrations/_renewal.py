"""What all adapters do about a 401."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clazar_auth import AccessToken, TokenProvider


LONGEST_REFUSAL = 64 * 1024
"""Bytes of a 401's body that are read for the sake of its connection."""


def renewed(provider: TokenProvider, refused: AccessToken) -> AccessToken | None:
    """Another token than the refused one; None if the API refuses for another reason."""
    provider.invalidate(refused)
    return _another(provider.token(), refused)


async def renewed_async(provider: TokenProvider, refused: AccessToken) -> AccessToken | None:
    """As renewed(), for a task of asyncio or trio."""
    provider.invalidate(refused)
    return _another(await provider.token_async(), refused)


def _another(token: AccessToken, refused: AccessToken) -> AccessToken | None:
    return None if token.value == refused.value else token
