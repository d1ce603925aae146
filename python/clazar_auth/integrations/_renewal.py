"""What all adapters do about a 401."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clazar_auth import AccessToken

LONGEST_REFUSAL = 64 * 1024
"""Bytes of a 401's body, as they are sent, that are read for the sake of its connection."""
LONGEST_WAIT = 1.0
"""Seconds that this may take."""
ONE_READ = LONGEST_WAIT / 2
"""Seconds for a read that blocks. Each starts within the first half of the time, so that all end in time."""


def is_another(token: AccessToken, refused: AccessToken) -> bool:
    """Whether it is worth sending a request again; if not, the API refuses for another reason."""
    return token.value != refused.value


def is_short(headers: Mapping[str, str]) -> bool:
    """Whether the body of a 401 is worth reading: one whose length is not told may have no end."""
    length = headers.get("Content-Length", "")
    return (
        "Transfer-Encoding" not in headers
        and length.isdecimal()
        and len(length) <= len(str(LONGEST_REFUSAL))
        and int(length) <= LONGEST_REFUSAL
    )


def in_time(pieces: Iterable[bytes]) -> bytes:
    """All of these, each of which is one read; or nothing if they come too slowly."""
    end = time.monotonic() + ONE_READ
    body = b""
    for piece in pieces:
        body += piece
        if time.monotonic() > end:
            return b""
    return body
