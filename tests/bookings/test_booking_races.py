"""Two requests at once for one slot or one booking; each race is first shown with what prevents it off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet, Sum
from django.db.models.signals import pre_save
from rest_framework.test import APIClient

from bookings.errors import BookingAlreadyCancelled, BookingNotPending, SlotTaken
from bookings.models import Booking, BookingStatus, Show, Ticket, TicketStatus
from bookings.services import cancel_booking, complete_booking, confirm_booking, mark_no_show
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.published import payloads
from tests.bookings.rooms import book, room
from tests.bookings.threads import at_once
from tests.factories import ShowFactory, StaffFactory, UserFactory, confirmed_booking, pending_booking, staff_act
from tests.tickets_project.api.clients import with_token

pytestmark = pytest.mark.django_db(transaction=True)

CONSTRAINT, ROUNDS = "bookings_booking_slot_once", 5


@contextmanager
def locks_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        yield


@contextmanager
def constraint_off() -> Iterator[None]:
    """Let bookings of one resource overlap meanwhile; what overlaps is deleted before the constraint is back."""
    [kept] = [each for each in Booking._meta.constraints if each.name == CONSTRAINT]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Booking, kept)
    try:
        yield
    finally:
        Booking.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Booking, kept)


def answered(task: Callable[[], Any]) -> Any:
    """Return what the task answers, or the database's complaint."""
    try:
        return task()
    except DatabaseError as error:
        return error


def of(kind: type[Any], answers: list[Any]) -> int:
    return sum(isinstance(answer, kind) for answer in answers)


class TestBookResourceConcurrency:
    def test_books_twice_with_lock_and_constraint_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the tests below would fail without them."""
        resource = room()
        with locks_off(monkeypatch), constraint_off():
            with meeting_before_saving(Booking, 2):
                at_once([partial(book, resource, 1, 3)] * 2)
            assert Booking.objects.count() == 2

    def test_never_books_twice_with_the_lock_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The database itself says so, but in a complaint, and often by a deadlock."""
        resource = room()
        with locks_off(monkeypatch), meeting_before_saving(Booking, 2):
            answers = at_once([partial(answered, partial(book, resource, 1, 3))] * 2)
        assert (of(Booking, answers), of(DatabaseError, answers), Booking.objects.count()) == (1, 1, 1)

    def test_books_a_slot_once_and_refuses_the_others(self) -> None:
        for _ in range(ROUNDS):
            resource = room()
            answers = at_once([partial(book, resource, 1, 3)] * 8)
            assert (of(Booking, answers), of(SlotTaken, answers)) == (1, 7)
            assert Booking.objects.filter(resource=resource).count() == 1
        assert len(payloads("booking.created")) == ROUNDS

    def test_books_slots_that_touch_all_at_once(self) -> None:
        resource = room()
        answers = at_once([partial(book, resource, hour, hour + 1) for hour in range(8)])
        assert of(Booking, answers) == 8

    def test_does_not_wait_for_another_resource(self) -> None:
        resources = [room(), room()]
        with meeting_before_saving(Booking, 2):
            answers = at_once([partial(book, resource, 1, 3) for resource in resources])
        assert of(Booking, answers) == 2

    def test_answers_each_client(self) -> None:
        resource = room()
        times = {"start_time": "2126-05-02T12:00:00Z", "end_time": "2126-05-02T13:00:00Z"}
        body = {"resource_id": str(resource.id), **times}

        def post(client: APIClient) -> int:
            return int(client.post("/api/v1/bookings/", body).status_code)

        statuses = at_once([partial(post, with_token(UserFactory.create())) for _ in range(8)])
        assert sorted(map(int, map(str, statuses))) == [201] + [409] * 7

    def test_confirms_while_others_want_the_slot(self) -> None:
        """A confirmation writes the slot anew, and must not wait for those who wait for it."""
        for _ in range(ROUNDS):
            resource = room()
            booking = book(resource, 1, 3)
            tasks: list[Callable[[], Booking]] = [partial(confirm, booking), *[partial(book, resource, 2, 4)] * 5]
            answers = at_once(tasks)
            assert (of(Booking, answers), of(SlotTaken, answers)) == (1, 5)


def confirm(booking: Booking) -> Booking:
    return confirm_booking(booking_id=booking.id, act=staff_act(), payment_id=None)


def cancel(booking: Booking) -> Booking:
    return cancel_booking(booking_id=booking.id, act=staff_act())


def complete(booking: Booking) -> Booking:
    return complete_booking(booking_id=booking.id, act=staff_act())


def miss(booking: Booking) -> Booking:
    return mark_no_show(booking_id=booking.id, act=staff_act())


def assert_seats_add_up(show: Show) -> None:
    held = Booking.objects.filter(show=show).aggregate(held=Sum("seats_held"))["held"] or 0
    assert Show.objects.get(id=show.id).seats_held == held
    open_bookings = Booking.objects.filter(show=show).exclude(status=BookingStatus.CANCELLED)
    assert held == (open_bookings.aggregate(held=Sum("number_of_tickets"))["held"] or 0)


def assert_nothing_of_it_is_left(booking: Booking) -> None:
    assert Booking.objects.get(id=booking.id).status == BookingStatus.CANCELLED
    assert not booking.tickets.exclude(status=TicketStatus.CANCELLED).exists()


class TestConfirmAgainstCancel:
    def test_leaves_open_tickets_of_a_cancelled_booking_with_the_lock_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Shows that the next test would fail without the lock: both found it pending."""
        booking = pending_booking()
        both_have_read, confirmed = Barrier(2), Event()

        def wait(instance: Booking, **_signal: Any) -> None:
            both_have_read.wait(30)
            if instance.status == BookingStatus.CANCELLED:
                assert confirmed.wait(30)

        def confirm_first() -> Booking:
            try:
                return confirm(booking)
            finally:
                confirmed.set()

        pre_save.connect(wait, sender=Booking)
        try:
            tasks: list[Callable[[], Booking]] = [confirm_first, partial(cancel, booking)]
            with locks_off(monkeypatch):
                at_once(tasks)
        finally:
            pre_save.disconnect(wait, sender=Booking)
        assert Booking.objects.get().status == BookingStatus.CANCELLED
        assert Ticket.objects.filter(status=TicketStatus.PENDING).count() == 2

    @pytest.mark.parametrize("turned", [False, True])
    def test_never_leaves_both(self, turned: bool) -> None:  # noqa: FBT001 - which of them starts first
        show = ShowFactory.create(number_of_tickets=100)
        for _ in range(ROUNDS):
            booking = pending_booking(show=show)
            both: list[Callable[[], Booking]] = [partial(confirm, booking), partial(cancel, booking)]
            answers = at_once(both[::-1] if turned else both)
            # Confirmed first, it is cancelled with its tickets; cancelled first, it is not confirmed any more.
            assert of(Booking, answers) + of(BookingNotPending, answers) == 2
            assert_nothing_of_it_is_left(booking)
            assert_seats_add_up(show)
        told = [message["booking_id"] for message in payloads("booking.cancelled")]
        assert len(told) == len(set(told)) == ROUNDS

    def test_lets_one_of_two_cancellations_through(self) -> None:
        show = ShowFactory.create(number_of_tickets=100)
        for _ in range(ROUNDS):
            booking = confirmed_booking(show=show)
            answers = at_once([partial(cancel, booking)] * 4)
            assert (of(Booking, answers), of(BookingAlreadyCancelled, answers)) == (1, 3)
            assert_nothing_of_it_is_left(booking)
            assert_seats_add_up(show)
        assert len(payloads("booking.cancelled")) == ROUNDS
        assert len(payloads("RefundTicket")) == len(payloads("ticket.cancelled")) == 2 * ROUNDS

    @pytest.mark.parametrize("end", [complete, miss])
    def test_lets_it_end_in_one_way(self, end: Callable[[Booking], Booking]) -> None:
        show = ShowFactory.create(number_of_tickets=100)
        for _ in range(ROUNDS):
            booking = confirmed_booking(show=show)
            tasks: list[Callable[[], Booking]] = [partial(end, booking), partial(cancel, booking)]
            answers = at_once(tasks)
            assert of(Booking, answers) == 1
            assert_seats_add_up(show)

    def test_gives_each_client_an_answer(self) -> None:
        booking, client = pending_booking(), with_token(StaffFactory.create())

        def post(what: str) -> int:
            return int(client.post(f"/api/v1/bookings/{booking.id}/{what}/", {}).status_code)

        statuses = at_once([partial(post, what) for what in ("confirm", "cancel") * 3])
        assert {int(str(status)) for status in statuses} == {200, 409}
        assert_nothing_of_it_is_left(booking)


class TestSeats:
    def test_add_up_while_people_come_and_go(self) -> None:
        show = ShowFactory.create(number_of_tickets=12)

        def come_and_go(number: int) -> None:
            for _ in range(3):
                booking = pending_booking(show=show, seats=1 + number % 3)
                confirm(booking)
                if number % 2:
                    cancel(booking)

        at_once([partial(come_and_go, number) for number in range(6)])
        assert_seats_add_up(show)
        assert Show.objects.get().seats_left >= 0
