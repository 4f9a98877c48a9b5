"""One show, 25 clients, 5 seats: exactly 5 bookings."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.errors import NotEnoughTickets
from bookings.models import Booking, Show
from bookings.services import make_booking
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.published import payloads
from tests.bookings.threads import at_once
from tests.factories import ShowFactory, UserFactory
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, SEATS = 25, 5


def book(show: Show, booking_id: UUID | None = None) -> Booking:
    return make_booking(
        booking_id=booking_id or uuid4(),
        show_id=show.id,
        number_of_tickets=1,
        customer_email="ada@customers.example",
        owner=None,
        act=Act(at=timezone.now()),
    )


class TestMakeBookingConcurrency:
    def test_overbooks_with_the_lock_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without the lock."""
        monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Show, CLIENTS):
            at_once([partial(book, show)] * CLIENTS)
        assert Booking.objects.count() == CLIENTS > SEATS

    def test_never_overbooks(self) -> None:
        show = ShowFactory.create(number_of_tickets=SEATS)
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
        with meeting_before_saving(Show, 2):
            answers = at_once([partial(book, show) for show in shows])
        assert all(isinstance(answer, Booking) for answer in answers)


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
