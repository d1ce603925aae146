"""Token requests as spans and in a metric of `OpenTelemetry <https://opentelemetry.io>`_.

>>> telemetry = clazar_auth.integrations.opentelemetry.Telemetry()
>>> provider = clazar_auth.TokenProvider.from_env(on_event=telemetry)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clazar_auth import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from clazar_auth import Event

__all__ = ["Telemetry"]

# Those that the semantic conventions ask for.
_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


class Telemetry:
    """Makes a span of each token request and measures ``http.client.request.duration``, by the
    semantic conventions for HTTP clients; for ``on_event`` of one provider or several.

    A token request is one with all its attempts. Its span has its own times, although it is made by
    the next call that concerns a token. It has no parent, since one token request serves all that
    wait for it. Thread-safe.

    Args:
        tracer_provider (opentelemetry.trace.TracerProvider): for the spans. Default: the global one.
        meter_provider (opentelemetry.metrics.MeterProvider): for the metric. Default: the global
            one.

    Raises:
        ImportError: opentelemetry-api is not installed.

    >>> telemetry = clazar_auth.integrations.opentelemetry.Telemetry()
    >>> sandbox.provider(on_event=telemetry).token()
    AccessToken([redacted], expires_in=...)
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        from opentelemetry import metrics, trace

        self._tracer = trace.get_tracer("clazar_auth", __version__, tracer_provider)
        meter = metrics.get_meter("clazar_auth", __version__, meter_provider)
        self._durations = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )

    def __call__(self, event: Event) -> None:
        if event.requested_at is None or event.duration is None:
            return
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        url = urlsplit(event.auth_url)
        common: dict[str, Any] = {
            "http.request.method": "POST",
            "server.address": url.hostname,
            "server.port": url.port or (443 if url.scheme == "https" else 80),
        }
        status = event.http_status if event.error else 200
        if status is not None:
            common["http.response.status_code"] = status
        # The status code of HTTP tells all: by the conventions no description then.
        told = status not in (None, 200)
        if event.error is not None:
            common["error.type"] = str(status) if told else event.error
        start = int(event.requested_at * 1e9)
        span = self._tracer.start_span(
            f"POST {url.path}",
            context=Context(),
            kind=SpanKind.CLIENT,
            attributes={
                **common,
                "url.full": event.auth_url,
                "url.template": url.path,
                "clazar_auth.client_id": event.client_id,
                "clazar_auth.cause": event.cause,
            },
            start_time=start,
        )
        if event.error is not None:
            span.set_status(Status(StatusCode.ERROR, None if told else event.message))
        span.end(start + int(event.duration * 1e9))
        self._durations.record(event.duration, common, set_span_in_context(span))
