"""One show, 25 clients, 5 seats: exactly 5 bookings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.signals import pre_save
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from bookings.errors import NotEnoughTickets, ShowHasStarted
from bookings.models import Booking, Show
from bookings.services import cancel_booking, change_show, make_booking
from tests.bookings.holding import condition_off, constraint_off
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.published import payloads
from tests.bookings.threads import at_once
from tests.factories import ShowFactory, UserFactory, pending_booking, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS, SEATS = 25, 5
LATER = timezone.now().replace(microsecond=0) + timedelta(days=60)


def change(show: Show, **facts: Any) -> Show:
    """Move the show, or change it otherwise."""
    return change_show(show_id=show.id, act=staff_act(), **facts or {"start_time": LATER, "price_amount": Decimal("12.50")})


def book(show: Show, booking_id: UUID | None = None) -> Booking:
    return make_booking(
        booking_id=booking_id or uuid4(),
        show_id=show.id,
        number_of_tickets=1,
        customer_email="ada@customers.example",
        owner=None,
        act=Act(at=timezone.now()),
    )


def complaint(task: Callable[[], Booking]) -> Booking | DatabaseError:
    """Return what the task answers, or the database's complaint."""
    try:
        return task()
    except DatabaseError as error:
        return error


def without_waiting(task: Callable[[], Booking]) -> Booking | DatabaseError:
    """Return what the task answers, or the complaint that it had to wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
    return complaint(task)


@contextmanager
def once_before_it_is_stored(task: Callable[[], Any]) -> Iterator[None]:
    """Do something in another connection before the first booking is stored, which has read its show by then."""
    tasks = [task]

    def do(**_signal: Any) -> None:
        if tasks:
            at_once([tasks.pop()])

    pre_save.connect(do, sender=Booking)
    try:
        yield
    finally:
        pre_save.disconnect(do, sender=Booking)


class TestMakeBookingConcurrency:
    def test_overbooks_with_condition_and_constraint_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next two tests would fail without them: all have seen free seats."""
        condition_off(monkeypatch)
        show = ShowFactory.create(number_of_tickets=SEATS)
        with constraint_off(), meeting_before_saving(Booking, CLIENTS):
            at_once([partial(book, show)] * CLIENTS)
        assert Booking.objects.count() == CLIENTS > SEATS

    def test_never_overbooks_with_the_condition_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The database itself says so, but in a complaint."""
        condition_off(monkeypatch)
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, CLIENTS):
            answers = at_once([partial(complaint, partial(book, show))] * CLIENTS)
        assert sum(isinstance(answer, IntegrityError) for answer in answers) == CLIENTS - SEATS
        assert Booking.objects.count() == SEATS

    @pytest.mark.parametrize("together", [True, False])
    def test_never_overbooks(self, together: bool) -> None:  # noqa: FBT001 - whether all have seen free seats
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, CLIENTS) if together else nullcontext():
            answers = at_once([partial(book, show)] * CLIENTS)
        assert sum(isinstance(answer, Booking) for answer in answers) == Booking.objects.count() == SEATS
        refusals = [answer for answer in answers if isinstance(answer, NotEnoughTickets)]
        assert [refusal.extensions for refusal in refusals] == [{"seats_left": 0}] * (CLIENTS - SEATS)
        assert len(payloads("BookingMade_v1")) == len(payloads("booking.created")) == SEATS
        assert AuditEntry.objects.filter(action="booking_created").count() == SEATS
        show.refresh_from_db()
        assert show.seats_held == SEATS

    @pytest.mark.parametrize("together", [True, False])
    def test_holds_the_same_booking_once(self, together: bool) -> None:  # noqa: FBT001 - whether none has seen it
        show = ShowFactory.create(number_of_tickets=SEATS)
        with meeting_before_saving(Booking, 10) if together else nullcontext():
            answers = at_once([partial(book, show, UUID(int=1))] * 10)
        assert all(isinstance(answer, Booking) for answer in answers)
        show.refresh_from_db()
        assert (Booking.objects.count(), show.seats_held, len(payloads("BookingMade_v1"))) == (1, 1, 1)

    def test_does_not_wait_for_another_show(self) -> None:
        """The lock is the show's own."""
        locked, free = (ShowFactory.create(number_of_tickets=SEATS) for _ in range(2))
        with transaction.atomic():
            assert Show.objects.select_for_update().get(id=locked.id)
            answers = at_once([partial(without_waiting, partial(book, show)) for show in (locked, free)])
        assert [type(answer) for answer in answers] == [OperationalError, Booking]

    def test_keeps_old_facts_of_a_show_with_the_condition_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shows that the next test would fail without it."""
        condition_off(monkeypatch)
        show = ShowFactory.create()
        with once_before_it_is_stored(partial(change, show)):
            made = book(show)
        assert (made.start_time, made.price_amount) == (show.start_time, Decimal("10.00"))

    def test_takes_the_facts_of_a_show_that_is_changed_meanwhile(self) -> None:
        show = ShowFactory.create()
        with once_before_it_is_stored(partial(change, show)):
            made = book(show)
        made.refresh_from_db()
        assert (made.start_time, made.price_amount) == (LATER, Decimal("12.50"))
        assert [told["price"] for told in payloads("booking.created")] == ["12.50"]
        assert AuditEntry.objects.filter(action="booking_created").count() == Booking.objects.count() == 1

    def test_is_refused_for_a_show_that_starts_meanwhile(self) -> None:
        show = ShowFactory.create()
        with once_before_it_is_stored(partial(change, show, start_time=timezone.now())), pytest.raises(ShowHasStarted):
            book(show)
        assert not Message.objects.exists()

    def test_locks_the_show_with_its_last_statement(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        show = ShowFactory.create()
        with django_assert_num_queries(7) as captured:
            book(show)
        *before, last, commit = [query["sql"] or "" for query in captured.captured_queries]
        assert last.strip().startswith("UPDATE bookings_show")
        assert commit == "COMMIT"
        assert not [sql for sql in before if "UPDATE" in sql]


class TestLockedWithShow:
    @pytest.mark.parametrize("no_key", [True, False])
    def test_does_not_wait_for_bookings_in_the_making(self, monkeypatch: pytest.MonkeyPatch, no_key: bool) -> None:  # noqa: FBT001 - off: what it would be without
        """They refer to the show; were its key locked, one after the other would keep a cancellation waiting."""
        lock = QuerySet.select_for_update
        monkeypatch.setattr(
            QuerySet, "select_for_update", lambda rows, **options: lock(rows, **{**options, "no_key": no_key})
        )
        booking = pending_booking(show=ShowFactory.create())
        with transaction.atomic():
            Booking.objects.create(
                show=booking.show,
                start_time=booking.start_time,
                number_of_tickets=1,
                price_amount=10,
                price_currency="EUR",
                created_at=booking.created_at,
            )
            cancel = partial(cancel_booking, booking_id=booking.id, act=staff_act())
            [answer] = at_once([partial(without_waiting, cancel)])
        assert isinstance(answer, Booking if no_key else OperationalError)


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
