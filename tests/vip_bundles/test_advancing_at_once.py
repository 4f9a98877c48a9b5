"""Dispatchers, people and the clock at the same bundles at once: each step is asked for once, and each ends once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, get_ident
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import pre_save
from django.utils import timezone

from tests.bookings.meeting import meeting_before_saving
from tests.bookings.threads import at_once, once_it_waits
from tests.factories import NOON, made_bundle, staff_act
from tests.processes import eventually
from tests.vip_bundles.dispatchers import advancing_alone, dispatch
from tests.vip_bundles.stored import (
    all_confirmed,
    audited,
    booking_failed,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    moves_of,
    published,
    return_booked,
    sent,
    standing,
    state_of,
    stored,
    taxi_booked,
    tell,
)
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.subscriptions import Subscriptions
from vip_bundles.errors import BundleEnded
from vip_bundles.facts import State
from vip_bundles.handlers import advancing
from vip_bundles.models import BundleTicket, VipBundle
from vip_bundles.schedules import flag_stuck_bundles
from vip_bundles.services import advance, flag_stuck, retry_step, roll_back

pytestmark = pytest.mark.django_db(transaction=True)

DispatchAtOnce = Callable[[], object]

BUNDLES = 6


@pytest.fixture
def dispatch_at_once(table: Callable[[Subscriptions], None]) -> DispatchAtOnce:
    """Have four dispatchers deliver what is due to the process manager."""
    table(advancing_alone())
    return partial(at_once, [dispatch] * 4)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)


def by_itself() -> Act:
    return Act(at=timezone.now(), automatic="vip bundles")


@contextmanager
def before_it_saves(task: Callable[[], object]) -> Iterator[None]:
    """Start a task in a thread, which goes on to save its bundle when the block has ended."""
    about_to, go_on, here = Event(), Event(), get_ident()

    def wait(**_signal: Any) -> None:
        if get_ident() != here:
            about_to.set()
            go_on.wait(30)

    pre_save.connect(wait, sender=VipBundle)
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(at_once, [task])
            about_to.wait(30)
            yield
            go_on.set()
            answer.result(30)
    finally:
        go_on.set()
        pre_save.disconnect(wait, sender=VipBundle)


class TestAdvance:
    @pytest.mark.usefixtures("no_locks")
    def test_asks_twice_with_the_lock_off(self) -> None:
        """Shows that the next tests would fail without the lock."""
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        answer = partial(advance, published(inbound_booked(bundle)), bundle=Q(id=bundle.id), act=by_itself())
        with meeting_before_saving(VipBundle, 2):
            at_once([answer] * 2)
        assert len([each for each in sent("BookFlight") if each["to_flight_id"] == str(bundle.return_flight_id)]) == 2

    def test_asks_for_each_step_once_whatever_comes_twice_at_once(self, dispatch_at_once: DispatchAtOnce) -> None:
        bundles = [made_bundle() for _ in range(BUNDLES)]
        steps: list[tuple[Callable[[VipBundle], list[Any]], str, int]] = [
            (lambda _: [], "BookShowTickets", 1),
            (lambda bundle: [booking_made(bundle), *all_confirmed(bundle)], "BookFlight", 1),
            (lambda bundle: [inbound_booked(bundle)], "BookFlight", 2),
            (lambda bundle: [return_booked(bundle)], "BookTaxi", 1),
            (lambda bundle: [taxi_booked(bundle)], "VipBundleFinalized_v1", 1),
        ]
        for told, command, count in steps:
            messages = [message for bundle in bundles for message in told(bundle)]
            tell(*messages, *reversed(messages))
            eventually(partial(_all_heard, dispatch_at_once), seconds=60)
            assert len(sent(command)) == count * BUNDLES
        assert {state_of(bundle) for bundle in bundles} == {"finalized"}
        assert BundleTicket.objects.count() == 3 * BUNDLES
        assert {len(moves_of(bundle)) for bundle in bundles} == {5}

    def test_rolls_back_once_when_the_failure_comes_with_the_tickets(self, dispatch_at_once: DispatchAtOnce) -> None:
        bundles = [standing(State.BOOKING_SHOW) for _ in range(BUNDLES)]
        messages = [
            message
            for bundle in bundles
            for message in (inbound_failed(bundle), *all_confirmed(bundle), booking_made(bundle))
        ]
        tell(*messages, *reversed(messages))
        eventually(partial(_all_heard, dispatch_at_once), seconds=60)
        assert {state_of(bundle) for bundle in bundles} == {"failed"}
        assert len(sent("RefundTicket")) == len({each["ticket_id"] for each in sent("RefundTicket")}) == 3 * BUNDLES
        assert [each["success"] for each in sent("VipBundleFinalized_v1")] == [False] * BUNDLES

    def test_keeps_nobody_waiting_who_books_no_bundle(self) -> None:
        standing(State.BOOKING_SHOW)
        other = VipBundle(booking_id=uuid4(), show_id=uuid4(), number_of_tickets=1)
        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            assert list(VipBundle.objects.select_for_update())
            for message in (booking_made(other), booking_failed(other), confirmed(other)):
                pool.submit(at_once, [partial(advancing.on_booking, message)]).result(10)


def _all_heard(dispatch_at_once: DispatchAtOnce) -> bool:
    dispatch_at_once()
    return not Delivery.objects.filter(status=Status.PENDING, handler__startswith="vip_bundles.on_").exists()


class TestRollBack:
    @pytest.mark.usefixtures("no_locks")
    def test_leaves_a_flight_booked_with_the_lock_off(self) -> None:
        """Shows that the next tests would fail without the lock."""
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        with before_it_saves(partial(roll_back, vip_bundle_id=bundle.id, act=staff_act())):
            hear(inbound_booked(bundle))
        assert (state_of(bundle), sent("CancelFlightTickets")) == ("failed", [])

    def test_takes_back_what_is_booked_while_it_waits(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        once_it_waits(
            partial(hear, inbound_booked(bundle)), partial(roll_back, vip_bundle_id=bundle.id, act=staff_act())
        )
        assert_nothing_is_left_booked(bundle)

    def test_has_taken_back_at_once_what_is_booked_meanwhile(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        answer = partial(advance, published(inbound_booked(bundle)), bundle=Q(id=bundle.id), act=by_itself())
        once_it_waits(partial(roll_back, vip_bundle_id=bundle.id, act=staff_act()), answer)
        assert_nothing_is_left_booked(bundle)
        assert moves_of(bundle)[-1] == ("FlightBooked_v1", "failed", "failed")

    def test_leaves_nothing_booked_whichever_comes_first(self) -> None:
        for _ in range(5):
            bundle = standing(State.BOOKING_INBOUND_FLIGHT)
            tell(inbound_booked(bundle))
            tasks: list[Callable[[], object]] = [hear, partial(roll_back, vip_bundle_id=bundle.id, act=staff_act())]
            at_once(tasks)
            assert_nothing_is_left_booked(bundle)

    def test_ends_a_bundle_once_when_two_ask(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        answers = at_once([partial(roll_back, vip_bundle_id=bundle.id, act=staff_act())] * 4)
        assert sum(isinstance(answer, BundleEnded) for answer in answers) == 3
        assert (len(sent("VipBundleFinalized_v1")), len(sent("RefundTicket"))) == (1, 3)


def assert_nothing_is_left_booked(bundle: VipBundle) -> None:
    """Assert that the bundle has failed, its tickets are refunded and its one flight is cancelled, each once."""
    assert state_of(bundle) == "failed"
    cancelled = [each for each in sent("CancelFlightTickets") if each["reference_id"] == str(bundle.id)]
    assert [each["flight_ticket_id"] for each in cancelled] == [["i1", "i2"]]
    refunded = [each["ticket_id"] for each in sent("RefundTicket")]
    assert all(refunded.count(ticket_id) == 1 for ticket_id in stored(bundle).facts().ticket_ids)
    assert sent("VipBundleFinalized_v1").count({"vip_bundle_id": str(bundle.id), "success": False}) == 1


class TestRetryStep:
    def test_of_a_bundle_that_goes_on_asks_for_the_next_step(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        once_it_waits(
            partial(hear, inbound_booked(bundle)), partial(retry_step, vip_bundle_id=bundle.id, act=staff_act())
        )
        assert moves_of(bundle)[-1] == ("retry", "booking_return_flight", "booking_return_flight")

    def test_of_a_bundle_that_ends_is_refused(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        end = partial(hear, taxi_booked(bundle))
        refusal = once_it_waits(end, partial(retry_step, vip_bundle_id=bundle.id, act=staff_act()))
        assert isinstance(refusal, BundleEnded)
        assert len(sent("BookTaxi")) == 1


class TestFlagStuck:
    @pytest.mark.usefixtures("no_locks")
    def test_flags_what_has_ended_with_the_lock_off(self) -> None:
        """Shows that the next test would fail without the lock."""
        bundle = standing(State.BOOKING_TAXI, at=NOON)
        with before_it_saves(partial(flag_stuck, vip_bundle_id=bundle.id, act=by_itself())):
            hear(taxi_booked(bundle))
        assert (state_of(bundle), stored(bundle).stuck_at is None) == ("finalized", False)

    def test_leaves_what_is_ending(self) -> None:
        bundle = standing(State.BOOKING_TAXI, at=NOON)
        flag = partial(flag_stuck, vip_bundle_id=bundle.id, act=by_itself())
        assert once_it_waits(partial(hear, taxi_booked(bundle)), flag) is False
        assert (state_of(bundle), stored(bundle).stuck_at) == ("finalized", None)

    def test_flags_each_once_when_two_schedules_run(self) -> None:
        bundles = [made_bundle(at=NOON) for _ in range(20)]
        runs: list[Any] = at_once([partial(flag_stuck_bundles, at=timezone.now())] * 2)
        assert sum(runs) == 20
        assert all(len(audited(bundle)) == 2 for bundle in bundles)
