"""Spans as OpenTelemetry's SDK records them, sent by OTLP over HTTP; the SDK reads its own OTEL_… variables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tickets_project.spans import Attributes, Kind

# A collector that is away must not hold up the end of a worker.
_PATIENCE_SECONDS = 2
_STATUS = "http.response.status_code"
_W3C = TraceContextTextMapPropagator()


class OpenTelemetryRecorder:
    """Records through one tracer provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("tickets_project")

    @contextmanager
    def begin(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None
    ) -> Iterator[tuple["RecordedSpan", str | None]]:
        """Record the enclosed work below the parent."""
        context = _W3C.extract({"traceparent": parent} if parent else {})
        with self._tracer.start_as_current_span(
            name, context=context, kind=SpanKind[kind.name], attributes=dict(attributes)
        ) as begun:
            carrier: dict[str, str] = {}
            _W3C.inject(carrier)
            yield RecordedSpan(begun, kind), carrier.get("traceparent", parent)

    def flush(self) -> None:
        """Send what is kept."""
        self._provider.force_flush(1000 * _PATIENCE_SECONDS)


class RecordedSpan:
    """One span of OpenTelemetry."""

    def __init__(self, begun: Span, kind: Kind) -> None:
        self._span = begun
        # To whom it failed: a 4xx is the client's fault, so the server did well.
        self._first_failure = 400 if kind is Kind.CLIENT else 500

    def tell(self, attributes: Attributes, *, name: str = "") -> None:
        """Add attributes; an HTTP status of failure marks the span as failed."""
        self._span.set_attributes(dict(attributes))
        if name:
            self._span.update_name(name)
        if int(attributes.get(_STATUS, 0)) >= self._first_failure:
            self._span.set_status(StatusCode.ERROR)


def exporting_recorder() -> OpenTelemetryRecorder:
    """Return a recorder that sends in the background, to OTEL_EXPORTER_OTLP_ENDPOINT or this host's collector."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "tickets")})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_PATIENCE_SECONDS)))
    return OpenTelemetryRecorder(provider)
