"""Many ask for the same money at the same time: it goes back once, and never more of it than was paid."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet, Sum
from django.utils import timezone

from bookings.commands import RefundTicket
from bookings.errors import NothingToRefund, RefundAlreadyRequested, RefundNotManual
from bookings.events import TicketBookingConfirmedV1
from bookings.handlers.receipts import issue_receipt
from bookings.handlers.refunds import refund_ticket
from bookings.models import Booking, Receipt, Refund, Show, Ticket
from bookings.services import cancel_booking, mark_paid, request_refund
from bookings.services.receipts import ask_for_receipt
from bookings.services.refunding import begin_refund
from tests.bookings.meeting import meeting_before_saving
from tests.bookings.money import UseTable, deliver_now, only, statuses, voided
from tests.bookings.published import payloads
from tests.bookings.threads import at_once
from tests.factories import confirmed_booking, only_ticket, owner_act, staff_act
from tickets_project.audit.acts import Act
from tickets_project.gateway import payments
from tickets_project.notifications.models import Notification
from tickets_project.outbox.subscriptions import Subscription

pytestmark = pytest.mark.django_db(transaction=True)

ASKERS = 8
TEN = Decimal("10.00")


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the locks away."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda queryset, **_options: queryset)


def now() -> Act:
    return Act(at=timezone.now(), automatic="refunds")


def with_ten_left() -> tuple[Booking, list[Callable[[], Refund]]]:
    """Return a booking of two tickets, half of which has gone back, and what asks for each ticket's price."""
    booking = confirmed_booking()
    cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=TEN)
    tickets = Ticket.objects.filter(booking=booking)
    return booking, [partial(request_refund, ticket_id=ticket.id, act=staff_act()) for ticket in tickets]


def money_back(booking: Booking) -> Decimal:
    return Decimal(Refund.objects.filter(booking=booking).aggregate(back=Sum("amount"))["back"] or 0)


class TestRequestRefundConcurrency:
    @pytest.mark.usefixtures("unlocked")
    def test_is_stopped_by_the_database_alone_with_the_lock_off(self) -> None:
        """Shows that the next test would fail without the lock: the last resort is an error, and no answer."""
        booking = confirmed_booking(seats=1)
        ask = partial(request_refund, ticket_id=only_ticket(booking).id, act=owner_act(booking))
        with meeting_before_saving(Refund, 2), pytest.raises(IntegrityError, match="bookings_refund_ticket_once"):
            at_once([ask] * 2)
        assert Refund.objects.count() == 1

    def test_refunds_a_ticket_once(self) -> None:
        booking = confirmed_booking(seats=1)
        ask = partial(request_refund, ticket_id=only_ticket(booking).id, act=owner_act(booking))
        answers = at_once([ask] * ASKERS)
        assert sum(isinstance(answer, Refund) for answer in answers) == Refund.objects.count() == 1
        assert sum(isinstance(answer, RefundAlreadyRequested) for answer in answers) == ASKERS - 1
        assert len(payloads("RefundTicket")) == len(payloads("ticket.cancelled")) == 1
        assert len(payloads("booking.cancelled")) == 1

    @pytest.mark.usefixtures("unlocked")
    def test_pays_back_more_than_was_paid_with_the_lock_off(self) -> None:
        """Shows that the next test would fail without the lock."""
        booking, asked = with_ten_left()
        with meeting_before_saving(Refund, 2):
            at_once(asked)
        assert money_back(booking) == Decimal("30.00") > booking.price_amount

    def test_pays_back_no_more_than_was_paid(self) -> None:
        booking, asked = with_ten_left()
        answers = at_once(asked)
        assert sum(isinstance(answer, NothingToRefund) for answer in answers) == 1
        assert money_back(booking) == booking.price_amount


class TestBeginRefundConcurrency:
    def test_begins_one_refund_of_a_ticket(self) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        begun = at_once([partial(begin_refund, ticket_id=ticket.id, act=now())] * ASKERS)
        assert {refund.id for refund in begun if isinstance(refund, Refund)} == {Refund.objects.get().id}
        assert len(payloads("ticket.cancelled")) == 1


class TestAllAtOnce:
    def test_neither_wait_in_a_circle_nor_pay_too_much(self) -> None:
        """The show is locked before the booking, and the booking before its tickets, whoever asks for what."""
        for _ in range(5):
            booking = confirmed_booking(seats=3)
            late = owner_act(booking, at=booking.start_time - timedelta(hours=10))
            tickets = [ticket.id for ticket in Ticket.objects.filter(booking=booking)]
            asked: list[Callable[[], object]] = [
                *(partial(begin_refund, ticket_id=ticket, act=now()) for ticket in tickets),
                *(partial(request_refund, ticket_id=ticket, act=late) for ticket in reversed(tickets)),
                *(partial(ask_for_receipt, ticket_id=ticket, at=timezone.now()) for ticket in tickets),
                partial(cancel_booking, booking_id=booking.id, act=late),
            ]
            at_once(asked)
            assert 0 < money_back(booking) <= booking.price_amount
            booking.refresh_from_db()
            assert (booking.status, booking.seats_held, Show.objects.get(bookings=booking).seats_held) == (
                "cancelled",
                0,
                0,
            )


class TestReceiptAndRefund:
    @pytest.mark.usefixtures("simulator")
    def test_leave_no_valid_receipt_whichever_comes_first(self, table: UseTable) -> None:
        table(
            only(
                Subscription(TicketBookingConfirmedV1, "bookings.issue_receipt", issue_receipt, external=True),
                Subscription(RefundTicket, "bookings.refund_ticket", refund_ticket, external=True),
            )
        )
        for _ in range(6):
            booking = confirmed_booking(seats=1)
            ask = partial(request_refund, ticket_id=only_ticket(booking).id, act=owner_act(booking))
            together: list[Callable[[], object]] = [ask, deliver_now, deliver_now]
            at_once(together)
        for _ in range(4):
            deliver_now()
        assert set(statuses()) == {"delivered"}
        assert all(voided())
        assert len(voided()) == Receipt.objects.exclude(voided_at=None).count() == Receipt.objects.count()
        assert len(payments.refunds()) == Refund.objects.filter(status="refunded").count() == 6


class TestMarkPaidConcurrency:
    def test_notes_a_payment_once(self) -> None:
        booking = confirmed_booking()
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=TEN)
        pay = partial(mark_paid, refund_id=Refund.objects.get().id, act=staff_act())
        answers = at_once([pay] * ASKERS)
        assert sum(isinstance(answer, RefundNotManual) for answer in answers) == ASKERS - 1
        assert Notification.objects.filter(template="refund_processed").count() == 1
