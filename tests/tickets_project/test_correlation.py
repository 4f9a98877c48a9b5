"""The trace of the work in hand."""

from threading import Thread

import pytest
from structlog.contextvars import get_contextvars

from tickets_project.correlation import Trace, current_trace, tracing

OUTER, INNER = Trace(correlation_id="outer", causation_id="m1"), Trace(correlation_id="inner")
CALLED = Trace(correlation_id="c1", traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


class TestCurrentTrace:
    def test_is_a_new_one_outside_any(self) -> None:
        first, second = current_trace(), current_trace()
        assert first.correlation_id != second.correlation_id
        assert (first.causation_id, first.traceparent) == (None, None)


class TestTracing:
    def test_nests(self) -> None:
        with tracing(OUTER) as opened:
            assert opened == current_trace() == OUTER
            with tracing(INNER):
                assert current_trace() == INNER
            assert current_trace() == OUTER

    def test_names_the_id_on_log_lines(self) -> None:
        with tracing(OUTER):
            assert get_contextvars()["correlation_id"] == "outer"
        assert "correlation_id" not in get_contextvars()

    def test_names_the_trace_of_the_caller_too(self) -> None:
        with tracing(CALLED):
            assert get_contextvars()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
        with tracing(OUTER):
            assert "trace_id" not in get_contextvars()

    def test_ends_with_an_error(self) -> None:
        with pytest.raises(ValueError, match="odd"), tracing(OUTER):
            raise ValueError("odd")
        assert current_trace() != OUTER

    def test_is_no_other_thread_s(self) -> None:
        seen = []
        with tracing(OUTER):
            thread = Thread(target=lambda: seen.append(current_trace()))
            thread.start()
            thread.join()
        assert seen[0] != OUTER
