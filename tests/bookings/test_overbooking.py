"""One show, 25 clients, 5 seats: exactly 5 bookings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models.signals import pre_save
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.errors import NotEnoughTickets
from bookings.models import Booking, Show
from bookings.services import booking as booking_service
from bookings.services import change_show, make_booking
from tests.bookings.meeting import hold_seats_as_read, meeting_before_saving
from tests.bookings.published import payloads
from tests.bookings.threads import at_once
from tests.factories import ShowFactory, UserFactory, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, SEATS = 25, 5


def book(show: Show, booking_id: UUID | None = None) -> Booking:
    return make_booking(
        booking_id=booking_id,
        show_id=show.id,
        number_of_tickets=1,
        customer_email="ada@customers.example",
        owner=None,
        act=Act(at=timezone.now()),
    )


@contextmanager
def first_of_all(change: Callable[[], object]) -> Iterator[None]:
    """Let somebody else change something once a booking is about to be stored."""
    changes = [change]

    def let_them(**_signal: Any) -> None:
        if changes:
            at_once([changes.pop()])

    pre_save.connect(let_them, sender=Booking)
    try:
        yield
    finally:
        pre_save.disconnect(let_them, sender=Booking)


class TestMakeBookingConcurrency:
    def test_overbooks_when_seats_are_held_as_they_were_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail if the statement that holds seats did not ask for room."""
        monkeypatch.setattr(booking_service, "_hold_seats", hold_seats_as_read)
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, CLIENTS):
            at_once([partial(book, show)] * CLIENTS)
        assert Booking.objects.count() == CLIENTS > SEATS

    def test_never_overbooks(self) -> None:
        """All of them have read that there is room."""
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, CLIENTS):
            answers = at_once([partial(book, show)] * CLIENTS)
        assert sum(isinstance(answer, Booking) for answer in answers) == Booking.objects.count() == SEATS
        assert sum(isinstance(answer, NotEnoughTickets) for answer in answers) == CLIENTS - SEATS
        assert len(payloads("BookingMade_v1")) == len(payloads("booking.created")) == SEATS
        show.refresh_from_db()
        assert show.seats_held == SEATS

    def test_holds_the_same_booking_once(self) -> None:
        show = ShowFactory.create(number_of_tickets=SEATS)
        answers = at_once([partial(book, show, UUID(int=1))] * 10)
        assert all(isinstance(answer, Booking) for answer in answers)
        show.refresh_from_db()
        assert (Booking.objects.count(), show.seats_held, len(payloads("BookingMade_v1"))) == (1, 1, 1)

    def test_does_not_wait_for_another_show(self) -> None:
        """The lock is the show's own: both are held at the same time."""
        shows = [ShowFactory.create(number_of_tickets=SEATS) for _ in range(2)]
        with meeting_before_saving(Booking, 2):
            answers = at_once([partial(book, show, uuid4()) for show in shows])
        assert all(isinstance(answer, Booking) for answer in answers)

    def test_refuses_when_the_last_seat_went_after_it_was_read(self) -> None:
        show = ShowFactory.create(number_of_tickets=1)
        with first_of_all(partial(book, show)), pytest.raises(NotEnoughTickets) as refusal:
            book(show)
        assert refusal.value.extensions == {"seats_left": 0}
        assert (Booking.objects.count(), Show.objects.get().seats_held) == (1, 1)
        assert len(payloads("BookingMade_v1")) == len(payloads("booking.created")) == 1

    def test_has_the_times_that_the_show_was_given_after_it_was_read(self) -> None:
        show = ShowFactory.create()
        later = show.start_time + timedelta(hours=3)
        with first_of_all(partial(change_show, show_id=show.id, act=staff_act(), start_time=later)):
            made = book(show)
        assert Booking.objects.get() == made
        assert Booking.objects.get().start_time == made.start_time == later
        assert (Show.objects.get().seats_held, len(payloads("BookingMade_v1"))) == (1, 1)

    def test_has_the_times_of_a_show_that_is_changed_again_and_again(self) -> None:
        show = ShowFactory.create(number_of_tickets=100)
        times = [show.start_time + timedelta(hours=hours) for hours in range(1, 9)]
        tasks: list[Callable[[], Booking | Show]] = [partial(book, show)] * 24
        tasks += [partial(change_show, show_id=show.id, act=staff_act(), start_time=time) for time in times]
        answers = at_once(tasks)
        assert sum(isinstance(answer, Booking) for answer in answers) == Booking.objects.count() == 24
        assert set(Booking.objects.values_list("start_time", flat=True)) == {Show.objects.get().start_time}
        assert Show.objects.get().seats_held == 24


class TestBookingsView:
    def test_never_overbooks(self) -> None:
        show = ShowFactory.create(number_of_tickets=SEATS)
        body = {"show_id": str(show.id), "number_of_tickets": 1}
        clients = [with_token(UserFactory.create()) for _ in range(CLIENTS)]

        def post(client: APIClient) -> int:
            return int(client.post("/api/v1/bookings/", body).status_code)

        statuses = at_once([partial(post, client) for client in clients])
        assert sorted(map(str, statuses)) == ["201"] * SEATS + ["409"] * (CLIENTS - SEATS)
        assert Booking.objects.count() == SEATS

    def test_books_once_for_a_key_that_comes_many_times_at_once(self) -> None:
        show = ShowFactory.create(start_time=timezone.now() + timedelta(days=1))
        body = {"show_id": str(show.id), "number_of_tickets": 1}
        client = with_token(UserFactory.create())

        def post() -> int:
            return int(client.post("/api/v1/bookings/", body, headers={"Idempotency-Key": "k"}).status_code)

        assert set(at_once([post] * 10)) <= {201, 409}
        assert Booking.objects.count() == 1
        assert Message.objects.count() == 2
