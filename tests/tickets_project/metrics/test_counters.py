"""Counting: into which series, and what it costs."""

from functools import partial
from time import thread_time
from timeit import repeat

from tests.tickets_project.metrics.numbers import grown_by
from tickets_project.metrics.counters import count_call, count_delivered, count_failed
from tickets_project.metrics.exposing import counted

LABELS = {"topic": "Happened_v1", "handler": "things.listen"}


def count_one() -> None:
    count_delivered("Happened_v1", "things.listen", seconds=0.02)


class TestCountDelivered:
    def test_puts_the_duration_into_its_bucket(self) -> None:
        name = "messages_processing_duration_seconds_bucket"
        assert grown_by(count_one, name, le="0.025", **LABELS) == 1
        assert grown_by(count_one, name, le="0.01", **LABELS) == 0

    def test_shows_no_failure_where_there_was_none(self) -> None:
        """A rate cannot be taken of what is not there, nor compared with it."""
        count_delivered("Happened_v1", "things.never_fail", seconds=0.02)
        labels = {"topic": "Happened_v1", "handler": "things.never_fail"}
        assert counted().get_sample_value("messages_processing_failed_total", labels) == 0

    def test_costs_a_delivery_a_few_microseconds(self) -> None:
        count_one()
        # 2.4 µs. The best of many, and of this thread's own time, since other processes want the machine too.
        assert min(repeat(count_one, timer=thread_time, number=1000, repeat=20)) / 1000 < 20e-6


class TestCountFailed:
    def test_shows_that_nothing_was_delivered_yet(self) -> None:
        count_failed("Happened_v1", "things.always_fail")
        labels = {"topic": "Happened_v1", "handler": "things.always_fail"}
        assert counted().get_sample_value("messages_processing_failed_total", labels) == 1
        assert counted().get_sample_value("messages_processed_total", labels) == 0


class TestCountCall:
    def test_counts_a_call_without_an_answer(self) -> None:
        labels = {"operation": "files-api/files", "method": "GET", "status": "none"}
        count = partial(count_call, "files-api/files", "GET", None, seconds=5)
        assert grown_by(count, "upstream_calls_total", **labels) == 1
