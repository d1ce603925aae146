"""What a provider reports."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """What happened, for the callable ``on_event`` of a provider. Later versions may add to it.

    Attributes:
        kind (str): such as 'refresh_failed'; docs/events.md lists them.
        level (str): 'info' or 'warning'.
        message (str): a sentence for a log.
        client_id (str): that of the provider.
        auth_url (str): where the provider authenticates.
        cause (str): why the token request was made, as in Stats.
        error (str or None): the name of the exception, if something failed.
        http_status (int or None): status code of the API's answer that was the failure.
        retry_after (float or None): seconds until the next token request, after a failure.
        expires_in (float or None): seconds that the token in use remains valid.
        requested_at (float or None): Unix time in seconds at which the token request began whose
            outcome this is; None if no request was sent, as for a token from the store.
        duration (float or None): seconds that this request took, with all its attempts.

    >>> events = []
    >>> _ = sandbox.provider(on_event=events.append).token()
    >>> events[0].kind, events[0].cause
    ('refreshed', 'empty')
    """

    kind: str
    level: str
    message: str
    client_id: str
    auth_url: str
    cause: str
    error: str | None
    http_status: int | None
    retry_after: float | None
    expires_in: float | None
    requested_at: float | None
    duration: float | None
