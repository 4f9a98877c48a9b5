"""Spans: nothing when they are off, and the trace goes through them when they are on."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from structlog.contextvars import get_contextvars

from tests.processes import ROOT
from tickets_project.correlation import Trace, current_trace, tracing
from tickets_project.spans import Kind, record_spans, span
from tickets_project.telemetry.recording import OpenTelemetryRecorder

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HERE = Trace(correlation_id="c1", causation_id="m1", traceparent=CALLER)

# Everything that a web server and a worker import, and one request.
_EVERYTHING = """
import sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from tickets_project import subscriptions, wsgi
from tickets_project.gateway import client
from tickets_project.outbox.worker import dispatching, supervising
get_resolver().url_patterns
settings.ALLOWED_HOSTS += ["testserver"]
assert Client().get("/health/live").status_code == 200
print([name for name in sys.modules if name.partition(".")[0] == "opentelemetry" or "telemetry" in name.split(".")])
"""


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tickets_project.settings"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def _on() -> Iterator[None]:
    record_spans(OpenTelemetryRecorder(TracerProvider()))
    yield
    record_spans(None)


class TestSpan:
    def test_changes_nothing_when_it_is_off(self) -> None:
        with tracing(HERE):
            names = get_contextvars()
            with span("sell", Kind.SERVER, {}) as work:
                work.tell({"http.response.status_code": 200}, name="sold")
                assert current_trace() == HERE
                assert get_contextvars() == names

    def test_imports_nothing_when_it_is_off(self) -> None:
        done = run(_EVERYTHING)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"

    @pytest.mark.usefixtures("_on")
    def test_hands_itself_on_as_the_parent(self) -> None:
        with tracing(HERE):
            with span("sell", Kind.SERVER, {}):
                inner = current_trace()
                assert get_contextvars()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
            assert current_trace() == HERE
        assert (inner.correlation_id, inner.causation_id) == ("c1", "m1")
        assert inner.traceparent
        assert inner.traceparent.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        assert inner.traceparent != HERE.traceparent

    @pytest.mark.usefixtures("_on")
    def test_begins_a_trace_where_there_is_none(self) -> None:
        with span("sell", Kind.SERVER, {}):
            assert current_trace().traceparent

    @pytest.mark.usefixtures("_on")
    def test_follows_the_caller_s_wish_to_record_nothing(self) -> None:
        unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        with tracing(Trace(correlation_id="c1", traceparent=unsampled)), span("sell", Kind.SERVER, {}):
            assert str(current_trace().traceparent).endswith("-00")

    def test_needs_what_it_imports(self) -> None:
        done = run("import sys; sys.modules['opentelemetry'] = None; import django; django.setup()", TRACING="on")
        assert "TRACING needs OpenTelemetry: pip install -r requirements-otel.txt" in done.stderr
