"""What all adapters do about a 401."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clazar_auth import AccessToken

LONGEST_REFUSAL = 64 * 1024
"""Bytes of a 401's body that are read for the sake of its connection."""


def is_another(token: AccessToken, refused: AccessToken) -> bool:
    """Whether it is worth sending a request again; if not, the API refuses for another reason."""
    return token.value != refused.value
