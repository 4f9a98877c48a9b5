"""What the database is asked at each scrape, and by which indexes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule, Task

from tests.factories import DeliveryFactory, made_bundle
from tickets_project.metrics import gauges
from tickets_project.metrics.gauges import DatabaseGauges, read
from tickets_project.outbox.models import Delivery, Dispatcher, Status
from vip_bundles.models import VipBundle

HANDLER, OTHER = "bookings.record_printed", "printing.print_ticket"


def delivery(*, due_for: float = 0, handler: str = HANDLER, **fields: Any) -> Delivery:
    available_at = timezone.now() - timedelta(seconds=due_for)
    made: Delivery = DeliveryFactory.create(handler=handler, available_at=available_at, **fields)
    return made


def schedule(name: str, **fields: Any) -> None:
    Schedule.objects.create(name=name, func="f", **fields)


def collected() -> dict[str, float]:
    families = [*DatabaseGauges().collect()]
    return {family.name: family.samples[0].value for family in families if len(family.samples) == 1}


@pytest.mark.django_db
class TestRead:
    def test_counts_what_is_pending_by_handler(self) -> None:
        delivery()
        delivery(due_for=-600)
        delivery(handler=OTHER)
        delivery(status=Status.DELIVERED, delivered_at=timezone.now())
        delivery(status=Status.PARKED)
        pending = read().pending
        assert (pending[HANDLER], pending[OTHER], sum(pending.values())) == (2, 1, 3)

    def test_counts_what_is_parked_by_handler(self) -> None:
        for status in (Status.PARKED, Status.PARKED, Status.DISCARDED, Status.PENDING):
            delivery(status=status)
        delivery(handler="things.gone", status=Status.PARKED)
        parked = read().parked
        assert (parked[HANDLER], parked["things.gone"], parked[OTHER], sum(parked.values())) == (2, 1, 0, 3)

    def test_tells_how_long_the_oldest_of_each_handler_is_due(self) -> None:
        for seconds in (30, 90, -600):
            delivery(due_for=seconds)
        delivery(handler=OTHER, due_for=-600)
        late = read().oldest_due_seconds
        assert late[HANDLER] == pytest.approx(90, abs=5)
        assert late[OTHER] == 0

    def test_tells_of_deliveries_whose_handler_is_no_longer_in_the_table(self) -> None:
        for handler in ("things.gone", "a.long.gone", HANDLER):
            delivery(handler=handler, due_for=90)
        reading = read()
        assert [reading.pending[handler] for handler in ("things.gone", "a.long.gone", HANDLER)] == [1, 1, 1]
        assert reading.oldest_due_seconds["things.gone"] == pytest.approx(90, abs=5)

    def test_tells_which_schedules_should_have_begun(self) -> None:
        for name, seconds in (("late", -300), ("early", 300)):
            schedule(name, next_run=timezone.now() + timedelta(seconds=seconds))
        schedule("over", next_run=timezone.now() - timedelta(days=1), repeats=0)
        overdue = read().overdue_seconds
        assert overdue["late"] == pytest.approx(300, abs=5)
        assert overdue["early"] == 0
        assert "over" not in overdue

    def test_tells_which_schedules_failed_when_they_ran_last(self) -> None:
        for name, latest in (("fails", "second"), ("recovered", "third"), ("never ran", None)):
            schedule(name, task=latest)
        for task_id in ("first", "second"):
            times = {"started": timezone.now(), "stopped": timezone.now()}
            Task.objects.create(id=task_id, name=task_id, func="f", success=False, **times)
        failing = read().failing
        assert (failing["fails"], failing["recovered"], failing["never ran"]) == (True, False, False)

    def test_counts_the_dispatchers_heard_of_lately(self) -> None:
        for seconds in (0, 5, 60):
            seen_at = timezone.now() - timedelta(seconds=seconds)
            Dispatcher.objects.create(id=uuid4(), cluster="here", host="here", pid=1, seen_at=seen_at)
        assert read().dispatchers == 2

    def test_counts_the_bundles_that_are_stuck(self) -> None:
        made_bundle()
        VipBundle.objects.filter(id=made_bundle().id).update(stuck_at=timezone.now())
        assert read().stuck_bundles == 1

    def test_counts_no_further_than_a_scrape_can_wait_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gauges, "MOST_COUNTED", 3)
        for _ in range(5):
            delivery()
            delivery(status=Status.PARKED)
        reading = read()
        assert (reading.pending[HANDLER], reading.parked[HANDLER]) == (3, 3)

    def test_asks_five_times_and_reads_no_large_table_whole(self) -> None:
        delivery()
        with CaptureQueriesContext(connection) as queries:
            read()
        asked = [query["sql"] for query in queries if query["sql"].lstrip().startswith(("SELECT", "WITH"))]
        assert len(asked) == 6  # one of them sets the time limit
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for sql in asked[1:]:
                cursor.execute(f"EXPLAIN {sql}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
                # Dispatchers and schedules are a handful of rows.
                assert "Seq Scan" not in plan or "outbox_dispatcher" in sql or "django_q_schedule" in sql, plan


@pytest.mark.django_db
class TestDatabaseGauges:
    def test_sum_up_what_is_late_and_what_is_parked(self) -> None:
        delivery(due_for=90)
        delivery(due_for=30, handler=OTHER)
        delivery(status=Status.PARKED)
        delivery(status=Status.PARKED, handler=OTHER)
        values = collected()
        assert values["outbox_lag_seconds"] == pytest.approx(90, abs=5)
        assert (values["outbox_parked"], values["database_up"]) == (2, 1)

    def test_are_zero_when_all_is_done(self) -> None:
        values = collected()
        names = ("outbox_lag_seconds", "outbox_parked", "outbox_dispatchers", "vip_bundles_stuck")
        assert [values[name] for name in names] == [0, 0, 0, 0]


def away() -> dict[str, float]:
    connection.close()
    connection.settings_dict = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {}}
    return collected()


def slow() -> dict[str, float]:
    try:
        return collected()
    finally:
        connection.close()


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Offer a thread with a database connection of its own."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.django_db(transaction=True)
class TestDatabaseGaugesWithoutADatabase:
    def test_say_so_and_nothing_else(self, elsewhere: ThreadPoolExecutor) -> None:
        assert elsewhere.submit(away).result() == {"database_up": 0}

    def test_do_not_wait_for_long(self, elsewhere: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gauges, "_LONGEST", "50ms")
        monkeypatch.setattr(gauges, "_PARKED", "SELECT pg_sleep(5), 1")
        assert elsewhere.submit(slow).result(2) == {"database_up": 0}
