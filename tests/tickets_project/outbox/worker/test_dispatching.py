"""A dispatcher at work in the test's own process: threads, wake-ups, leases, and its end."""

from collections import Counter
from collections.abc import Callable
from threading import Event, get_ident
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from tests.bookings.threads import at_once
from tests.processes import eventually
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.dispatchers import all_delivered, dispatching, happen
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tickets_project.outbox.models import Delivery, Dispatcher, Status
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Recording, Subscription, Subscriptions
from tickets_project.outbox.worker import dispatching as worker_dispatching
from tickets_project.outbox.worker.dispatching import dispatch
from tickets_project.outbox.worker.fairness import SLOW_SECONDS
from tickets_project.outbox.worker.presence import CLUSTER

pytestmark = pytest.mark.django_db(transaction=True)


class TestDispatching:
    def test_delivers_what_was_published_before_it_came(self, listener: Listener) -> None:
        happen(50)
        with dispatching():
            eventually(all_delivered)
        assert sorted(message.number for message in listener.heard) == list(range(50))

    def test_is_woken_by_a_message(self, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_dispatching, "POLL_SECONDS", 60)
        arrived = Event()
        listener.then = lambda _message: arrived.set()
        with dispatching():
            sleep(1.2)
            published = monotonic()
            happen()
            assert arrived.wait(5)
            assert monotonic() - published < 0.5

    def test_runs_external_handlers_side_by_side(self, caller: Listener, settings: Settings) -> None:
        settings.OUTBOX_THREADS = 8
        threads = set()

        def call(_message: Any) -> None:
            threads.add(get_ident())
            sleep(0.3)

        caller.then = call
        happen(6)
        with dispatching():
            eventually(all_delivered)
        assert len(threads) == 6

    def test_lets_a_hanging_handler_stop_nobody(
        self, table: Callable[[Subscriptions], None], settings: Settings
    ) -> None:
        settings.OUTBOX_THREADS = 4
        release, other = Event(), Listener()

        def hang(_message: Any) -> None:
            release.wait(15)

        table(
            Subscriptions(
                Subscription(Happened, "things.hang", hang, external=True),
                Subscription(Happened, "things.hang_too", hang, external=True),
                Subscription(DoIt, "things.do", other, external=True),
                declared_in=(messages_for_tests,),
            )
        )
        happen(20)
        with dispatching():
            eventually(Delivery.objects.filter(attempts=1).exists)
            with transaction.atomic():
                publish(DoIt(thing_id="t1"))
            try:
                eventually(lambda: other.heard, seconds=5)
            finally:
                release.set()
            eventually(all_delivered)

    def test_runs_a_transactional_handler_that_is_slow_beside_the_others(
        self, table: Callable[[Subscriptions], None]
    ) -> None:
        release, first, slow, other = Event(), Event(), Listener(), Listener()

        def dawdle(_message: Any) -> None:
            if first.is_set():
                release.wait(15)
            first.set()
            sleep(2 * SLOW_SECONDS)

        slow.then = dawdle
        table(
            Subscriptions(
                Subscription(Happened, "things.dawdle", slow),
                Subscription(DoIt, "things.do", other),
                declared_in=(messages_for_tests,),
            )
        )
        happen(5)
        with dispatching():
            eventually(lambda: len(slow.heard) > 1)
            with transaction.atomic():
                publish(DoIt(thing_id="t1"))
            try:
                eventually(lambda: other.heard, seconds=5)
            finally:
                release.set()
            eventually(all_delivered, seconds=20)
        assert sorted(message.number for message in slow.heard) == list(range(5))

    def test_tries_again_after_a_hiccup(self, listener: Listener) -> None:
        def hiccup(_message: Any) -> None:
            if len(listener.heard) < 3:
                raise ConnectionError

        listener.then = hiccup
        happen()
        with dispatching():
            eventually(all_delivered)
        assert Delivery.objects.get().attempts == 3

    def test_leaves_nobody_out_for_what_is_urgent(
        self, table: Callable[[Subscriptions], None], settings: Settings
    ) -> None:
        settings.OUTBOX_THREADS = 4
        order: list[str] = []

        def call(_message: Any) -> None:
            sleep(0.05)
            order.append("urgent")

        table(
            Subscriptions(
                Subscription(Happened, "things.call", call, external=True, urgent=True),
                Subscription(Happened, "things.note", lambda _message: order.append("other")),
                declared_in=(messages_for_tests,),
            )
        )
        happen(150)
        with dispatching():
            eventually(all_delivered, seconds=40)
        assert Counter(order) == {"urgent": 150, "other": 150}
        assert order[-1] == "urgent"

    def test_asks_again_soon_what_said_not_yet(self, listener: Listener) -> None:
        def patience(_message: Any) -> None:
            if len(listener.heard) < 4:
                raise NotYet("soon")

        listener.then = patience
        happen()
        with dispatching():
            eventually(all_delivered)
        assert Delivery.objects.get().attempts == 1

    def test_keeps_its_lease_while_a_handler_takes_long(self, caller: Listener, settings: Settings) -> None:
        settings.OUTBOX_LEASE_SECONDS = 2
        caller.then = lambda _message: sleep(5)
        happen()
        with dispatching(), dispatching():
            eventually(all_delivered)
        assert len(caller.heard) == 1

    def test_finishes_the_work_in_hand_when_asked_to_stop(self, caller: Listener, settings: Settings) -> None:
        settings.OUTBOX_THREADS = 2
        caller.then = lambda _message: sleep(0.5)
        happen(30)
        with dispatching():
            eventually(lambda: caller.heard)
        begun = len(caller.heard)
        assert Delivery.objects.filter(status=Status.DELIVERED).count() == begun < 30
        left = Delivery.objects.filter(status=Status.PENDING)
        assert set(left.values_list("attempts", "claimed_by")) == {(0, None)}

    def test_stops_between_two_transactional_handlers(self, listener: Listener) -> None:
        listener.then = lambda _message: sleep(0.3)
        happen(20)
        with dispatching():
            eventually(lambda: listener.heard)
        left = Delivery.objects.filter(status=Status.PENDING)
        assert set(left.values_list("attempts", "claimed_by")) == {(0, None)}

    def test_ends_when_its_time_is_over(self, listener: Listener) -> None:
        del listener
        with dispatching(seconds=0.5) as thread:
            thread.join(5)
            assert not thread.is_alive()
        assert not Dispatcher.objects.exists()

    def test_goes_on_when_its_connections_are_cut(self, listener: Listener) -> None:
        with dispatching():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            happen()
            eventually(all_delivered)
        assert len(listener.heard) == 1

    def test_lets_the_lease_end_when_the_outcome_cannot_be_recorded(self, caller: Listener, settings: Settings) -> None:
        settings.OUTBOX_LEASE_SECONDS = 1

        def first_time_away(_message: Any) -> Recording | None:
            if len(caller.heard) > 1:
                return None
            raise ConnectionError

        caller.then = first_time_away
        happen()
        with connection.cursor() as cursor:
            # Recording the failure fails, as it does while the database is away.
            cursor.execute(
                "ALTER TABLE outbox_delivery ADD CONSTRAINT away CHECK (last_error NOT LIKE '%ConnectionError%')"
            )
        try:
            with dispatching():
                eventually(all_delivered)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE outbox_delivery DROP CONSTRAINT away")
        assert len(caller.heard) == 2

    def test_records_what_was_called_while_another_call_still_runs(self, caller: Listener, settings: Settings) -> None:
        settings.OUTBOX_THREADS = 4
        release = Event()

        def one_hangs(message: Any) -> None:
            if message.number == 0:
                release.wait(10)

        caller.then = one_hangs
        happen(3)
        with dispatching(seconds=0.5):
            eventually(lambda: Delivery.objects.filter(status=Status.DELIVERED).count() == 2)
            sleep(0.7)
            assert Dispatcher.objects.exists()
            release.set()
        assert all_delivered()


class TestDispatch:
    def test_leaves_when_the_cluster_has_dispatchers_enough(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.OUTBOX_DISPATCHERS = 1
        monkeypatch.setenv(CLUSTER, "here")
        Dispatcher.objects.create(id="00000000-0000-4000-8000-000000000001", cluster="here", host="h", pid=1)
        started = monotonic()
        dispatch()
        assert monotonic() - started < 1

    def test_stays_for_its_time(self, listener: Listener, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.OUTBOX_DISPATCH_SECONDS = 1
        monkeypatch.setenv(CLUSTER, "here")
        happen()
        dispatch()
        assert len(listener.heard) == 1
        assert not Dispatcher.objects.exists()

    def test_stays_once_for_each_place_when_many_begin_at_once(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.OUTBOX_DISPATCHERS, settings.OUTBOX_DISPATCH_SECONDS = 2, 3
        monkeypatch.setenv(CLUSTER, "here")

        def seconds_stayed() -> float:
            started = monotonic()
            dispatch()
            return monotonic() - started

        stayed = at_once([seconds_stayed] * 6)
        assert sum(isinstance(seconds, float) and seconds > 2 for seconds in stayed) == 2
