"""Pruning while others prune, replay, repair and deliver the same rows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from tests.bookings.threads import at_once, once_it_waits
from tests.tickets_project.outbox.aged import delivery, delivery_ids, message
from tests.tickets_project.outbox.conftest import Listener
from tests.working import deliver_all
from tickets_project.outbox import pruning
from tickets_project.outbox.models import Delivery, Intervention, Message, PrunedType
from tickets_project.outbox.pruning import Pruned, prune
from tickets_project.outbox.publishing import delivery_row
from tickets_project.outbox.replaying import Selection, plan_replay, replay
from tickets_project.outbox.subscriptions import subscriptions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listener")]

HAPPENED: dict[str, Any] = {"type": "Happened_v1", "payload": {"thing_id": "t1"}, "aggregateid": "t1"}


@pytest.fixture(autouse=True)
def _retention(settings: Settings) -> None:
    settings.OUTBOX_KEEP_DELIVERED_DAYS = 30
    settings.OUTBOX_KEEP_MESSAGES_DAYS = 365


@contextmanager
def elsewhere(work: Callable[[], Any]) -> Iterator[None]:
    """Do it in another transaction, which stays open during the block."""
    is_done, may_end = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                is_done.set()
                may_end.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert is_done.wait(20)
            yield
        finally:
            may_end.set()
            holding.result(20)


def pruned() -> tuple[int, int]:
    outcome = prune(at=timezone.now())
    return outcome.deliveries, outcome.messages


def replayed() -> int:
    return replay(plan_replay(Selection(handlers=("things.listen",))), by="ann")


def old(days: float = 400, **fields: Any) -> Delivery:
    return delivery(days=days, message=message(days=days, **HAPPENED), handler="things.listen", **fields)


class TestTwoWhoPrune:
    def test_share_the_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pruning, "BATCH", 10)
        for _ in range(100):
            old()
        outcomes = at_once([lambda: prune(at=timezone.now()) for _ in range(2)])
        shares = [outcome for outcome in outcomes if isinstance(outcome, Pruned)]
        assert sum(share.deliveries for share in shares) == 100
        assert sum(share.messages for share in shares) == 100
        assert not Message.objects.exists()
        assert PrunedType.objects.get().messages == 100

    def test_do_not_wait_for_each_other(self) -> None:
        held, free = old(days=40), old(days=40)
        with elsewhere(lambda: list(Delivery.objects.select_for_update().filter(pk=held.pk))):
            assert pruned() == (1, 0)
        assert delivery_ids() == {held.pk}
        assert free.pk not in delivery_ids()


class TestPruneBesideAReplay:
    def test_leaves_a_delivery_that_is_being_opened(self) -> None:
        row = old(days=40)
        with elsewhere(replayed):
            assert pruned() == (0, 0)
        row.refresh_from_db()
        assert row.status == "pending"
        assert pruned() == (0, 0)

    def test_leaves_a_message_whose_delivery_is_being_opened(self) -> None:
        old()
        with elsewhere(replayed):
            assert pruned() == (0, 0)
        assert pruned() == (0, 0)
        assert Message.objects.count() == 1

    def test_leaves_a_message_that_is_getting_its_first_delivery(self, listener: Listener) -> None:
        message(days=400, **HAPPENED)
        with elsewhere(replayed):
            assert pruned() == (0, 0)
        deliver_all()
        assert [heard.thing_id for heard in listener.heard] == ["t1"]

    def test_has_a_replay_make_the_delivery_anew_that_went(self) -> None:
        gone = old(days=40)
        assert once_it_waits(pruned, replayed) == 1
        assert Delivery.objects.get().pk != gone.pk
        assert Intervention.objects.get().previous_status == ""

    def test_has_a_replay_pass_over_a_message_that_went(self) -> None:
        old()
        plan = plan_replay(Selection(handlers=("things.listen",)))
        assert once_it_waits(pruned, lambda: replay(plan, by="ann")) == 0
        assert not Message.objects.exists()

    def test_shows_why_a_replay_locks_its_messages(self) -> None:
        row = message(days=400, **HAPPENED)

        def open_without_the_lock() -> None:
            with transaction.atomic():
                delivery_row(row, subscriptions().by_key("things.listen")).save()

        with pytest.raises(IntegrityError):
            once_it_waits(pruned, open_without_the_lock)

    def test_is_exact_when_both_go_on_at_once(self, monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
        monkeypatch.setattr(pruning, "BATCH", 7)
        for _ in range(60):
            old()
        first, opened, second = at_once([pruned, replayed, pruned])
        deliver_all()
        assert isinstance(opened, int)
        assert isinstance(first, tuple)
        assert isinstance(second, tuple)
        # Each message either went, or was heard again.
        assert first[1] + second[1] + opened == 60
        assert len(listener.heard) == Message.objects.count() == opened


class TestPruneBesideARepair:
    @pytest.mark.parametrize("days", [40, 400])
    def test_leaves_what_a_person_has_in_hand(self, days: float) -> None:
        row = old(days=days, status="parked")

        def retry() -> None:
            Delivery.objects.select_for_update().get(pk=row.pk)

        with elsewhere(retry):
            assert pruned() == (0, 0)
        assert delivery_ids() == {row.pk}


class TestPruneBesideADispatcher:
    def test_leaves_the_message_of_a_delivery_that_is_being_settled(self) -> None:
        row = old(status="pending")

        def settle() -> None:
            Delivery.objects.filter(pk=row.pk).update(status="delivered", delivered_at=timezone.now())

        with elsewhere(settle):
            assert pruned() == (0, 0)
        assert pruned() == (0, 0)
        assert Message.objects.count() == 1
