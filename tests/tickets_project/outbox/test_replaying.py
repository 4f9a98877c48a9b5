"""Replays: what they open, what they leave, and what they refuse."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tests.bookings.threads import at_once
from tests.factories import MessageFactory
from tests.processes import eventually
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.dispatchers import dispatching
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tests.working import deliver_all
from tickets_project.outbox import replaying
from tickets_project.outbox.errors import NotReplayable, UnknownHandler
from tickets_project.outbox.models import Delivery, Intervention, Message
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.replaying import Replay, Selection, plan_replay, replay
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(table: Callable[[Subscriptions], None]) -> dict[str, Listener]:
    """Deliver three events and a command; return the listeners, their memories wiped."""
    listeners = {key: Listener() for key in ("things.listen", "things.pay", "things.do", "things.new")}
    subscriptions: list[Subscription[Any]] = [
        Subscription(Happened, "things.listen", listeners["things.listen"]),
        Subscription(Happened, "things.pay", listeners["things.pay"], replayable=False),
        Subscription(DoIt, "things.do", listeners["things.do"]),
    ]
    table(Subscriptions(*subscriptions, declared_in=(messages_for_tests,)))
    for number, thing in enumerate(("t1", "t2", "t3")):
        with transaction.atomic():
            publish(Happened(thing_id=thing, number=number))
    with transaction.atomic():
        publish(DoIt(thing_id="t1"))
    deliver_all()
    for listener in listeners.values():
        listener.heard.clear()
    later = Subscription(Happened, "things.new", listeners["things.new"])
    table(Subscriptions(*subscriptions, later, declared_in=(messages_for_tests,)))
    return listeners


def replayed(**selection: Any) -> int:
    opened = replay(plan_replay(Selection(**selection)), by="ann", reason="the sheet was lost")
    deliver_all()
    return opened


def things(listener: Listener) -> list[str]:
    return [message.thing_id for message in listener.heard]


class TestReplay:
    def test_repeats_one_message(self, heard: dict[str, Listener]) -> None:
        message = Message.objects.get(aggregateid="t2")
        assert replayed(ids=(message.id,)) == 2
        assert things(heard["things.listen"]) == ["t2"]
        assert things(heard["things.new"]) == ["t2"]

    def test_repeats_one_handler(self, heard: dict[str, Listener]) -> None:
        assert replayed(handlers=("things.listen",)) == 3
        assert things(heard["things.listen"]) == ["t1", "t2", "t3"]
        assert heard["things.new"].heard == []

    def test_repeats_one_type(self, heard: dict[str, Listener]) -> None:
        assert replayed(types=("DoIt",)) == 1
        assert things(heard["things.do"]) == ["t1"]

    def test_repeats_one_aggregate(self, heard: dict[str, Listener]) -> None:
        assert replayed(aggregate_id="t1") == 3
        assert things(heard["things.listen"]) == ["t1"]
        assert things(heard["things.do"]) == ["t1"]

    def test_repeats_a_time_range(self, heard: dict[str, Listener]) -> None:
        second = Message.objects.get(aggregateid="t2").published_at
        assert replayed(since=second, until=second) == 2
        assert things(heard["things.listen"]) == ["t2"]

    def test_makes_the_first_delivery_for_a_newer_handler(self, heard: dict[str, Listener]) -> None:
        assert replayed(handlers=("things.new",)) == 3
        assert things(heard["things.new"]) == ["t1", "t2", "t3"]
        assert set(Intervention.objects.values_list("previous_status", flat=True)) == {""}

    def test_makes_no_new_messages(self, heard: dict[str, Listener]) -> None:
        del heard
        replayed()
        assert Message.objects.count() == 4

    def test_leaves_out_a_handler_that_must_not_repeat(self, heard: dict[str, Listener]) -> None:
        replayed()
        assert heard["things.pay"].heard == []

    def test_repeats_it_when_forced(self, heard: dict[str, Listener]) -> None:
        replayed(handlers=("things.pay",), force=True)
        assert things(heard["things.pay"]) == ["t1", "t2", "t3"]

    def test_leaves_pending_deliveries_alone(self, heard: dict[str, Listener]) -> None:
        del heard
        Delivery.objects.filter(handler="things.listen").update(status="pending", delivered_at=None, attempts=5)
        plan = plan_replay(Selection(handlers=("things.listen",)))
        assert plan.deliveries == {}
        assert replay(plan, by="ann") == 0
        assert set(Delivery.objects.filter(handler="things.listen").values_list("attempts", flat=True)) == {5}

    def test_opens_parked_and_discarded_ones(self, heard: dict[str, Listener]) -> None:
        Delivery.objects.filter(handler="things.do").update(status="discarded", delivered_at=None)
        assert replayed(handlers=("things.do",)) == 1
        assert things(heard["things.do"]) == ["t1"]

    def test_leaves_what_is_published_after_the_plan(self, heard: dict[str, Listener]) -> None:
        del heard
        plan = plan_replay(Selection(types=("DoIt",)))
        with transaction.atomic():
            publish(DoIt(thing_id="t9"))
        deliver_all()
        assert replay(plan, by="ann") == 1

    def test_stays_on_record(self, heard: dict[str, Listener]) -> None:
        del heard
        replayed(types=("DoIt",))
        record = Intervention.objects.get()
        assert (record.action, record.by, record.reason) == ("replayed", "ann", "the sheet was lost")
        assert (record.delivery.handler, record.previous_status) == ("things.do", "delivered")

    def test_goes_on_batch_by_batch(self, heard: dict[str, Listener], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replaying, "BATCH", 1)
        steps: list[int] = []
        replay(plan_replay(Selection(handlers=("things.listen",))), by="ann", progress=steps.append)
        deliver_all()
        assert steps == [1, 1, 1]
        assert things(heard["things.listen"]) == ["t1", "t2", "t3"]

    def test_leaves_what_was_delivered_since_the_plan(self, heard: dict[str, Listener]) -> None:
        plan = plan_replay(Selection(types=("DoIt",)))
        Delivery.objects.filter(handler="things.do").update(delivered_at=timezone.now())
        assert replay(plan, by="ann") == 0
        assert heard["things.do"].heard == []

    def test_goes_on_after_a_message(self, heard: dict[str, Listener]) -> None:
        second = Message.objects.get(aggregateid="t2").sequence
        replayed(handlers=("things.listen",), after=second)
        assert things(heard["things.listen"]) == ["t3"]

    def test_makes_one_first_delivery_when_two_replay_at_once(self, heard: dict[str, Listener]) -> None:
        plan = plan_replay(Selection(handlers=("things.new",)))
        opened: list[int] = []
        at_once([lambda: opened.append(replay(plan, by="ann"))] * 4)
        deliver_all()
        assert sorted(opened) == [0, 0, 0, 3]
        assert things(heard["things.new"]) == ["t1", "t2", "t3"]


def due_times() -> list[datetime]:
    pending = Delivery.objects.filter(status="pending")
    return sorted(pending.values_list("available_at", flat=True))


class TestReplayAtARate:
    def test_lets_them_fall_due_one_by_one(self, heard: dict[str, Listener]) -> None:
        del heard
        before = timezone.now()
        assert replay(plan_replay(Selection()), by="ann", rate=5) == 7
        due = due_times()
        assert due[0] > before
        assert {(later - earlier) >= timedelta(seconds=0.2) for earlier, later in pairwise(due)} == {True}

    def test_opens_no_more_than_a_second_s_worth_ahead(self, heard: dict[str, Listener]) -> None:
        del heard
        open_then: list[int] = []
        started = monotonic()
        replay(plan_replay(Selection()), by="ann", rate=2, progress=lambda _: open_then.append(len(due_times())))
        assert open_then == [2, 4, 6, 7]
        assert monotonic() - started > 2.5

    def test_holds_for_messages_that_nobody_hears(self, heard: dict[str, Listener]) -> None:
        del heard
        MessageFactory.create()
        assert replay(plan_replay(Selection(types=("TicketPrinted_v1",))), by="ann", rate=100) == 0

    def test_delivers_no_faster(self, heard: dict[str, Listener]) -> None:
        times: list[float] = []
        heard["things.listen"].then = lambda _: times.append(monotonic())
        with dispatching():
            replay(plan_replay(Selection(handlers=("things.listen",))), by="ann", rate=1)
            eventually(lambda: len(times) == 3)
        assert times[2] - times[0] > 1


class TestStop:
    def test_ends_the_run_after_the_batch_in_hand(
        self, heard: dict[str, Listener], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replaying, "BATCH", 1)
        run = Replay(plan_replay(Selection(handlers=("things.listen",))), by="ann")
        run.run(lambda _: run.stop())
        deliver_all()
        assert (run.messages, run.opened, run.is_finished) == (1, 1, False)
        assert things(heard["things.listen"]) == ["t1"]
        assert replayed(handlers=("things.listen",), after=run.last_sequence) == 2
        assert things(heard["things.listen"]) == ["t1", "t2", "t3"]

    def test_ends_the_wait_for_the_next_batch(self, heard: dict[str, Listener]) -> None:
        del heard
        run = Replay(plan_replay(Selection()), by="ann", rate=1)
        started = monotonic()
        run.run(lambda _: Timer(0.2, run.stop).start())
        assert (run.opened, run.is_finished) == (2, False)
        assert monotonic() - started < 0.9


class TestPlanReplay:
    def test_counts_messages_and_deliveries_and_changes_nothing(self, heard: dict[str, Listener]) -> None:
        del heard
        before = list(Delivery.objects.order_by("id").values())
        plan = plan_replay(Selection())
        assert plan.messages == 4
        assert plan.types == {"Happened_v1": 3, "DoIt": 1}
        assert plan.left_out == ("things.pay",)
        assert plan.deliveries == {"things.listen": 3, "things.new": 3, "things.do": 1}
        assert list(Delivery.objects.order_by("id").values()) == before

    def test_is_empty_for_a_time_without_messages(self, heard: dict[str, Listener]) -> None:
        del heard
        assert plan_replay(Selection(since=timezone.now() + timedelta(days=1))).messages == 0

    def test_refuses_an_unknown_handler(self, heard: dict[str, Listener]) -> None:
        del heard
        with pytest.raises(UnknownHandler, match=r"things\.lisen"):
            plan_replay(Selection(handlers=("things.lisen",)))

    def test_refuses_a_named_handler_that_must_not_repeat(self, heard: dict[str, Listener]) -> None:
        del heard
        with pytest.raises(NotReplayable, match=r"things\.pay"):
            plan_replay(Selection(handlers=("things.pay",)))
