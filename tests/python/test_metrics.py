"""Metrics and traces, as a real exporter sends them or shows them to who scrapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import prometheus_client
import pytest
from helpers import LONG
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import get_tracer
from prometheus_client.parser import text_string_to_metric_families

import clazar_auth
from clazar_auth import TokenProvider
from clazar_auth.integrations.opentelemetry import Telemetry
from clazar_auth.integrations.prometheus import Collector
from clazar_auth.testing import Sandbox

# ---- Prometheus ----

LABELS = ("client_id", "cause", "outcome")


def scraped(registry: prometheus_client.CollectorRegistry) -> dict[tuple[str, ...], float]:
    """The samples that a scrape over HTTP brings, by name and label values."""
    server, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    try:
        with urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=LONG) as answer:
            text = answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *(sample.labels[it] for it in LABELS if it in sample.labels)): sample.value
        for family in families
        for sample in family.samples
    }


def test_prometheus_scrapes_what_is_counted(sandbox: Sandbox) -> None:
    registry = prometheus_client.CollectorRegistry(auto_describe=True)
    provider = sandbox.provider()
    registry.register(Collector(provider))
    nobody = sandbox.client_id
    samples = scraped(registry)
    assert samples["clazar_auth_expires_in_seconds", nobody] == 0
    assert sandbox.requests() == 0, "a scrape sends no request"

    provider.token()
    sandbox.answer_next(429, headers={"Retry-After": "100"})
    with pytest.raises(clazar_auth.RateLimitedError):
        provider.refresh()
    provider.invalidate(provider.token())
    samples = scraped(registry)
    requests = {name[2:]: value for name, value in samples.items() if "requests" in name[0]}
    causes = ("empty", "proactive", "refresh", "invalidated")
    assert requests == {
        (cause, outcome): float((cause, outcome) in {("empty", "succeeded"), ("refresh", "failed")})
        for cause in causes
        for outcome in ("succeeded", "failed")
    }
    assert samples["clazar_auth_invalidations_total", nobody] == 1
    assert samples["clazar_auth_expires_in_seconds", nobody] == 0
    assert 90 < samples["clazar_auth_backoff_seconds", nobody] < 120


def test_each_field_of_the_statistics_is_scraped(sandbox: Sandbox) -> None:
    registry = prometheus_client.CollectorRegistry()
    provider = sandbox.provider()
    registry.register(Collector(provider))
    names = {name[0].removeprefix("clazar_auth_") for name in scraped(registry)}
    plain = {name.removesuffix("_total").removesuffix("_seconds") for name in names}
    causes = {"empty", "proactive", "refresh", "invalidated"}
    assert plain == set(clazar_auth.Stats._fields) - causes | {"token_requests"}


def test_several_providers_have_one_collector(sandbox: Sandbox) -> None:
    other = TokenProvider("other", "not-a-real-secret", auth_url=sandbox.auth_url)
    provider = sandbox.provider()
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(provider, other))
    provider.token()
    samples = scraped(registry)
    assert samples["clazar_auth_expires_in_seconds", sandbox.client_id] > 0
    assert samples["clazar_auth_expires_in_seconds", "other"] == 0
    with pytest.raises(ValueError, match="same client_id"):
        Collector(provider, sandbox.provider())
    with pytest.raises(TypeError, match="^provider must be a TokenProvider, not str$"):
        Collector("text")  # type: ignore[arg-type]


# ---- OpenTelemetry ----


OURS = InstrumentationScope(name="clazar_auth", version=clazar_auth.__version__)


class Backend(ThreadingHTTPServer):
    """Takes what exporters send over OTLP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.bodies: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/metrics": []}

    def spans(self) -> list[Any]:
        sent = map(ExportTraceServiceRequest.FromString, self.bodies["/v1/traces"])
        return [
            span
            for request in sent
            for resource in request.resource_spans
            for scope in resource.scope_spans
            if scope.scope == OURS
            for span in scope.spans
        ]

    def metrics(self) -> list[Any]:
        sent = ExportMetricsServiceRequest.FromString(self.bodies["/v1/metrics"][-1])
        return [
            metric
            for resource in sent.resource_metrics
            for scope in resource.scope_metrics
            if scope.scope == OURS
            for metric in scope.metrics
        ]


class Receiver(BaseHTTPRequestHandler):
    server: Backend

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies[self.path].append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
"""Those of the semantic conventions."""


@contextmanager
def exporting() -> Iterator[tuple[Backend, TracerProvider, MeterProvider]]:
    """All has been sent at the end."""
    with Backend() as backend:
        thread = Thread(target=backend.serve_forever)
        thread.start()
        tracers = TracerProvider()
        exporter = OTLPSpanExporter(f"{backend.url}/v1/traces")
        tracers.add_span_processor(BatchSpanProcessor(exporter))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{backend.url}/v1/metrics"))
        meters = MeterProvider([reader])
        try:
            yield backend, tracers, meters
            tracers.shutdown()
            meters.shutdown()
        finally:
            backend.shutdown()
            thread.join()


def values(attributes: Any) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


def test_opentelemetry_exports_a_span_and_a_duration_of_each_request(sandbox: Sandbox) -> None:
    before = time.time_ns()
    with exporting() as (backend, tracers, meters):
        provider = sandbox.provider(on_event=Telemetry(tracers, meters))
        sandbox.set_delay(0.2)
        with get_tracer("program", tracer_provider=tracers).start_as_current_span("work"):
            provider.token()
        sandbox.answer_next(400)
        with pytest.raises(clazar_auth.RejectedError):
            provider.refresh()
        sandbox.answer_next(200, b"{}")
        with pytest.raises(clazar_auth.InvalidResponseError):
            provider.refresh()
        secrets = [sandbox.client_secret.encode(), provider.token().value.encode()]
    url = urlsplit(sandbox.auth_url)
    common = {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": url.port,
    }
    named = {
        "url.full": sandbox.auth_url,
        "url.template": "/authenticate/",
        "clazar_auth.client_id": sandbox.client_id,
    }
    results: list[dict[str, object]] = [
        {"http.response.status_code": 200},
        {"http.response.status_code": 400, "error.type": "400"},
        {"http.response.status_code": 200, "error.type": "InvalidResponseError"},
    ]
    spans = backend.spans()
    assert {span.name for span in spans} == {"POST /authenticate/"}
    causes = ["empty", "refresh", "refresh"]
    for span, cause, result in zip(spans, causes, results, strict=True):
        expected = {**common, **named, **result, "clazar_auth.cause": cause}
        assert values(span.attributes) == expected
        assert span.kind == span.SPAN_KIND_CLIENT
        assert span.parent_span_id == b"", "it serves all that wait for it"
        is_error = span.status.code == span.status.STATUS_CODE_ERROR
        assert is_error == ("error.type" in result)
        assert before < span.start_time_unix_nano < span.end_time_unix_nano < time.time_ns()
    assert spans[0].end_time_unix_nano - spans[0].start_time_unix_nano >= 200_000_000
    assert spans[1].status.message == "", "the status code tells it"

    [metric] = backend.metrics()
    assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
    assert metric.description == "Duration of HTTP client requests."
    points = [(values(point.attributes), point.count) for point in metric.histogram.data_points]
    assert points == [({**common, **result}, 1) for result in results]
    assert metric.histogram.data_points[0].sum >= 0.2
    assert list(metric.histogram.data_points[0].explicit_bounds) == BUCKETS
    examples = [point.exemplars[-1].span_id for point in metric.histogram.data_points]
    assert examples == [span.span_id for span in spans], "none of the program's own"
    sent = b"".join(body for bodies in backend.bodies.values() for body in bodies)
    assert not any(secret in sent for secret in secrets)


def test_a_failure_without_an_answer_is_described() -> None:
    with Sandbox() as sandbox, exporting() as (backend, tracers, meters):
        provider = sandbox.provider(on_event=Telemetry(tracers, meters))
        sandbox.close()
        with pytest.raises(clazar_auth.TransportError):
            provider.token()
    [span] = backend.spans()
    attributes = values(span.attributes)
    assert attributes["error.type"] == "TransportError"
    assert "http.response.status_code" not in attributes
    assert span.status.message.startswith("no new token: ")


@pytest.mark.parametrize(("scheme", "port"), [("https", 443), ("http", 80)])
def test_a_port_that_is_not_named_is_that_of_the_scheme(
    sandbox: Sandbox, scheme: str, port: int
) -> None:
    events: list[clazar_auth.Event] = []
    sandbox.provider(on_event=events.append).token()
    [event] = [event for event in events if event.duration is not None]
    with exporting() as (backend, tracers, meters):
        Telemetry(tracers, meters)(event._replace(auth_url=f"{scheme}://api.clazar.test/token"))
    [span] = backend.spans()
    assert values(span.attributes)["server.port"] == port


def test_a_token_from_the_store_is_no_span(sandbox: Sandbox, tmp_path: Any) -> None:
    store = tmp_path / "store"
    sandbox.provider(store=store).token()
    with exporting() as (backend, tracers, meters):
        sandbox.provider(store=store, on_event=Telemetry(tracers, meters)).token()
    assert backend.spans() == []


def test_it_works_without_an_sdk(sandbox: Sandbox) -> None:
    provider = sandbox.provider(on_event=Telemetry())
    assert provider.token().value
