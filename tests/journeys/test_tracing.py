"""One trace from the HTTP request to the call of another service, recorded by the SDK and sent by a real worker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tests.working import deliver_due
from tickets_project.outbox.models import Delivery, Message
from tickets_project.spans import record_spans
from tickets_project.telemetry.recording import OpenTelemetryRecorder

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER_SPAN = "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{CALLER_SPAN}-01"
CONFIRM = "POST /api/v1/bookings/<uuid:booking_id>/confirm/"
PRINT = "printing.print_ticket"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Record the spans of this process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    record_spans(OpenTelemetryRecorder(provider))
    yield exporter
    record_spans(None)


def confirm(customer: Site, show_id: str) -> None:
    booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=1)
    path = f"/bookings/{booking['booking_id']}/confirm/"
    customer.post(path, expected=200, headers={"traceparent": CALLER}, payment_id="p")


def of_trace(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.context and f"{span.context.trace_id:032x}" == TRACE]


def way_to(span: ReadableSpan, spans: list[ReadableSpan]) -> list[tuple[str, SpanKind]]:
    """Return the names from the outermost span of ours down to this one."""
    above = [other for other in spans if other.context and span.parent and other.context.span_id == span.parent.span_id]
    return [*(way_to(above[0], spans) if above else []), (span.name, span.kind)]


class Collector(BaseHTTPRequestHandler):
    """Keeps what is sent to it by OTLP."""

    spans: set[tuple[str, str]] = set()

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.update((span.trace_id.hex(), span.name) for span in scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[str]:
    """Be the collector; return its address."""
    Collector.spans.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestTracing:
    def test_leads_from_the_request_over_the_messages_to_the_gateway(
        self, customer: Site, show_id: str, exporter: InMemorySpanExporter, calls: Callable[..., list[dict[str, Any]]]
    ) -> None:
        confirm(customer, show_id)
        deliver_due(PRINT)
        spans = of_trace(exporter)
        [call] = [span for span in spans if span.kind is SpanKind.CLIENT]
        way = way_to(call, spans)
        assert [kind for _, kind in way] == [SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CLIENT]
        assert (way[0][0], way[2][0], way[3][0]) == (CONFIRM, f"process {PRINT}", "PUT")
        outermost = next(span for span in spans if span.name == CONFIRM)
        assert outermost.parent
        assert f"{outermost.parent.span_id:016x}" == CALLER_SPAN
        assert call.context
        [received] = calls("files.put")
        assert received["traceparent"] == f"00-{TRACE}-{call.context.span_id:016x}-01"

    def test_goes_on_with_the_messages_that_follow(
        self, customer: Site, show_id: str, exporter: InMemorySpanExporter
    ) -> None:
        confirm(customer, show_id)
        deliver_due(PRINT)
        deliver_due("bookings.record_printed")
        spans = of_trace(exporter)
        last = next(span for span in spans if span.name == "process bookings.record_printed")
        names = [name for name, _ in way_to(last, spans)]
        assert names[2:] == [f"record {PRINT}", "publish TicketPrinted_v1", "process bookings.record_printed"]
        stored = Message.objects.get(type="TicketPrinted_v1").headers["traceparent"]
        published = next(span for span in spans if span.name == "publish TicketPrinted_v1")
        assert published.context
        assert stored == f"00-{TRACE}-{published.context.span_id:016x}-01"

    def test_shows_which_call_failed(
        self, customer: Site, show_id: str, exporter: InMemorySpanExporter, fault: Callable[..., None]
    ) -> None:
        fault("files.put", status=500)
        confirm(customer, show_id)
        deliver_due(PRINT)
        failed = {span.name for span in of_trace(exporter) if span.status.status_code is StatusCode.ERROR}
        assert failed == {"PUT", f"process {PRINT}"}

    def test_is_sent_by_a_real_worker(self, customer: Site, show_id: str) -> None:
        confirm(customer, show_id)
        printed = Delivery.objects.filter(handler="bookings.record_printed", status="delivered")
        with collecting() as address:
            with worker(TRACING="on", OTEL_EXPORTER_OTLP_ENDPOINT=address):
                eventually(printed.exists, seconds=30)
            wanted = {"PUT", f"process {PRINT}", f"record {PRINT}", "process bookings.record_printed"}
            assert wanted <= {name for trace, name in Collector.spans if trace == TRACE}
