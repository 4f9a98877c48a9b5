"""What is counted of deliveries: each that is made, each attempt that fails, nothing twice."""

from collections.abc import Callable
from itertools import count
from time import perf_counter, sleep
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from pytest_django import Settings

from tests.processes import eventually
from tests.tickets_project.metrics.numbers import grown_by, number
from tests.tickets_project.outbox.conftest import Listener, caller, listener
from tests.tickets_project.outbox.dispatchers import all_delivered, dispatching
from tests.tickets_project.outbox.messages_for_tests import Happened
from tests.working import claim_due, deliver_due
from tickets_project.outbox.delivering import Batch, commit, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.publishing import publish

__all__ = ["caller", "listener"]

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = (
    "messages_processed_total",
    "messages_processing_failed_total",
    "messages_processing_duration_seconds_count",
)


def happen(count: int = 1) -> None:
    with transaction.atomic():
        publish(*(Happened(thing_id=f"t{number}", number=number) for number in range(count)))


def counts(work: Callable[[], object], *, handler: str = "things.listen") -> list[float]:
    """Return what the work adds to the deliveries made, to the failed attempts, and to the durations."""
    labels = {"topic": "Happened_v1", "handler": handler}
    before = [number(name, **labels) for name in NAMES]
    work()
    return [number(name, **labels) - old for name, old in zip(NAMES, before, strict=True)]


def seconds(work: Callable[[], object], *, handler: str = "things.listen") -> float:
    return grown_by(work, "messages_processing_duration_seconds_sum", topic="Happened_v1", handler=handler)


def third_fails(message: Any) -> None:
    if message.number == 2:
        raise ValueError("no")


def say_not_yet(_message: Any) -> None:
    raise NotYet("wait")


def give_up(_message: Any) -> None:
    raise GiveUp("no")


def batch() -> Batch:
    outcomes = [(claim, prepare(claim)) for claim in claim_due()]
    return [(claim, outcome) for claim, outcome in outcomes if not isinstance(outcome, Undelivered)]


@pytest.mark.usefixtures("listener")
class TestDelivered:
    def test_is_counted_one_by_one(self) -> None:
        happen(3)
        assert counts(deliver_due) == [3, 0, 3]

    def test_is_counted_for_each_of_a_batch(self) -> None:
        happen(5)
        together = batch()
        assert counts(lambda: commit_together(together)) == [5, 0, 5]

    def test_is_not_counted_for_a_batch_that_is_rolled_back(self, listener: Listener) -> None:
        listener.then = third_fails
        happen(5)
        together = batch()
        assert counts(lambda: commit_together(together)) == [0, 0, 0]

    def test_is_counted_for_what_is_committed_of_a_slow_batch(self, listener: Listener) -> None:
        listener.then = lambda _message: sleep(0.1)
        happen(3)
        together = batch()
        assert counts(lambda: commit_together(together)) == [1, 0, 1]

    def test_is_not_counted_for_a_lost_claim(self) -> None:
        happen(2)
        together = batch()
        Delivery.objects.update(attempts=7)
        assert counts(lambda: commit_together(together)) == [0, 0, 0]
        assert counts(lambda: commit(*together[0])) == [0, 0, 0]

    def test_takes_the_time_of_the_handler(self, listener: Listener) -> None:
        listener.then = lambda _message: sleep(0.05)
        happen()
        started = perf_counter()
        assert 0.05 <= seconds(deliver_due) <= perf_counter() - started

    def test_takes_the_time_of_the_call_and_of_its_recording(self, caller: Listener) -> None:
        def call(_message: Any) -> Callable[[], None]:
            sleep(0.05)
            return lambda: sleep(0.05)

        caller.then = call
        happen()
        started = perf_counter()
        assert 0.1 <= seconds(deliver_due, handler="things.call") <= perf_counter() - started


class TestFailed:
    def test_is_counted_with_each_attempt(self, listener: Listener) -> None:
        listener.then = third_fails
        happen(3)
        assert counts(deliver_due) == [2, 1, 2]
        Delivery.objects.update(available_at=Now())
        assert counts(deliver_due) == [0, 1, 0]

    def test_is_counted_for_a_call_that_is_given_up(self, caller: Listener) -> None:
        caller.then = give_up
        happen()
        assert counts(deliver_due, handler="things.call") == [0, 1, 0]

    def test_is_not_counted_when_another_worker_has_it_by_now(self, caller: Listener) -> None:
        def call(message: Any) -> None:
            Delivery.objects.update(attempts=7)
            give_up(message)

        caller.then = call
        happen()
        assert counts(deliver_due, handler="things.call") == [0, 0, 0]

    def test_is_not_counted_while_it_waits(self, listener: Listener) -> None:
        listener.then = say_not_yet
        happen()
        assert counts(deliver_due) == [0, 0, 0]

    def test_is_counted_when_it_has_waited_in_vain(self, listener: Listener, settings: Settings) -> None:
        settings.OUTBOX_WAIT_SECONDS = -1
        listener.then = say_not_yet
        happen()
        assert counts(deliver_due) == [0, 1, 0]


class TestDispatcher:
    def test_counts_a_batch_that_fails_as_what_becomes_of_each(self, listener: Listener) -> None:
        """Ten together: rolled back for the third, then committed one by one, the third after another attempt."""
        failures = count()

        def third_fails_twice(message: Any) -> None:
            if message.number == 2 and next(failures) < 2:
                raise ValueError("no")

        def work() -> None:
            with dispatching():
                happen(10)
                eventually(all_delivered)

        listener.then = third_fails_twice
        assert counts(work) == [10, 1, 10]
