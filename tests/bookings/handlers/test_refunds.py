"""Refunds against the simulated services: the receipt is voided, then the payment is refunded, both once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from bookings.commands import RefundTicket
from bookings.events import TicketBookingConfirmedV1
from bookings.handlers.receipts import issue_receipt
from bookings.handlers.refunds import refund_ticket
from bookings.models import Receipt, Refund, Ticket
from bookings.services import cancel_booking, request_refund
from bookings.services.receipts import ask_for_receipt
from tests.bookings.money import (
    Calls,
    Fault,
    UseTable,
    confirmed,
    deliver_now,
    meanwhile,
    only,
    statuses,
    tell,
    voided,
    wait_for,
)
from tests.bookings.published import names, payload
from tests.factories import confirmed_booking, only_ticket, owner_act, staff_act
from tests.working import deliver_due
from tickets_project.audit.models import AuditEntry
from tickets_project.gateway import payments, receipts
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.repairing import retry_delivery
from tickets_project.outbox.subscriptions import Subscription

TABLE = only(
    Subscription(TicketBookingConfirmedV1, "bookings.issue_receipt", issue_receipt, external=True),
    Subscription(RefundTicket, "bookings.refund_ticket", refund_ticket, external=True),
)
UNANSWERED = [{"status": 500}, {"drop": "before"}, {"drop": "after"}, {"delay_ms": 4000}]


@pytest.fixture
def ticket(db: None) -> Ticket:  # noqa: ARG001 - opens the database
    return only_ticket(confirmed_booking(seats=1))


@pytest.fixture
def charged(ticket: Ticket, simulator: object) -> Ticket:
    """Return a ticket that has its receipt."""
    del simulator
    recording = issue_receipt(confirmed(ticket))
    assert recording
    recording()
    return ticket


def command(ticket: Ticket) -> RefundTicket:
    return RefundTicket(ticket_id=str(ticket.id))


def record(ticket: Ticket) -> None:
    recording = refund_ticket(command(ticket))
    assert recording is not None
    recording()


def ask(ticket: Ticket, reason: str = "") -> Refund:
    assert ticket.booking
    return request_refund(ticket_id=ticket.id, act=owner_act(ticket.booking, reason=reason))


def order_of(*logs: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """Return which calls arrived, in their order, with what was answered."""
    calls = sorted((call for log in logs for call in log), key=lambda call: str(call["at"]))
    return [(call["operation"], call["status"]) for call in calls]


def assert_refunded_once(ticket: Ticket) -> None:
    """One void receipt, one refund upstream, one message, one finished row."""
    assert voided() == [True]
    (paid,) = payments.refunds()
    assert (paid.payment_reference, paid.deduplication_id) == (str(ticket.id), f"{ticket.id}:refund")
    assert payload("TicketRefunded_v1") == {"ticket_id": str(ticket.id), "booking_id": str(ticket.booking_id)}
    refund = Refund.objects.get()
    assert (refund.status, refund.failure, refund.finished_at is None) == ("refunded", "", False)
    ticket.refresh_from_db()
    assert ticket.status == "cancelled"


@pytest.mark.django_db
class TestRefundTicket:
    def test_voids_the_receipt_and_then_refunds_the_payment(self, charged: Ticket, calls: Calls) -> None:
        ask(charged)
        record(charged)
        assert_refunded_once(charged)
        assert order_of(calls("receipts.void"), calls("payments.refund")) == [
            ("receipts.void", 200),
            ("payments.refund", 200),
        ]
        assert calls("receipts.void")[0]["idempotency_key"] == f"{charged.id}:void"
        assert Receipt.objects.get().voided_at is not None

    def test_tells_both_services_why(self, charged: Ticket) -> None:
        ask(charged, reason="ill")
        record(charged)
        assert [receipts.listing()[0].void_reason, payments.refunds()[0].reason] == ["ill", "ill"]

    def test_has_a_reason_when_nobody_gave_one(self, charged: Ticket) -> None:
        record(charged)
        assert [receipts.listing()[0].void_reason, payments.refunds()[0].reason] == ["customer refund"] * 2

    def test_refunds_what_nobody_asked_for_before(self, charged: Ticket) -> None:
        record(charged)
        assert_refunded_once(charged)
        assert Refund.objects.get().requested_by == "refunds"

    def test_leaves_each_step_on_record(self, charged: Ticket) -> None:
        refund = ask(charged, reason="ill")
        record(charged)
        steps = AuditEntry.objects.filter(subject_id=str(refund.id)).order_by("id")
        assert list(steps.values_list("action", "by", "reason"))[1:] == [
            ("refund_receipt_voided", "refunds", "ill"),
            ("refund_finished", "refunds", "ill"),
        ]

    def test_voids_nothing_of_a_ticket_that_never_had_a_receipt(self, ticket: Ticket, calls: Calls) -> None:
        record(ticket)
        assert (calls("receipts.void"), len(payments.refunds())) == ([], 1)
        assert Refund.objects.get().status == "refunded"
        assert issue_receipt(confirmed(ticket)) is None
        assert receipts.listing() == []

    def test_waits_for_a_receipt_that_is_being_issued(self, ticket: Ticket, calls: Calls) -> None:
        ask_for_receipt(ticket_id=ticket.id, at=timezone.now())
        with pytest.raises(NotYet, match="is being issued"):
            refund_ticket(command(ticket))
        assert calls("receipts.void") == calls("payments.refund") == []
        assert Refund.objects.get().status == "requested"

    def test_waits_for_an_unknown_ticket(self, calls: Calls) -> None:
        unknown = RefundTicket(ticket_id=str(uuid4()))
        with pytest.raises(NotYet, match=unknown.ticket_id):
            refund_ticket(unknown)
        assert calls("payments.refund") == []

    def test_calls_nobody_for_what_is_refunded(self, charged: Ticket, calls: Calls) -> None:
        record(charged)
        assert refund_ticket(command(charged)) is None
        assert len(calls("receipts.void")) == len(calls("payments.refund")) == 1

    def test_leaves_what_a_person_pays(self, charged: Ticket, calls: Calls) -> None:
        assert charged.booking
        late = owner_act(charged.booking, at=charged.booking.start_time - timedelta(hours=10))
        request_refund(ticket_id=charged.id, act=late)
        assert Refund.objects.get().status == "manual"
        assert refund_ticket(command(charged)) is None
        assert calls("receipts.void") == calls("payments.refund") == []

    def test_pays_nothing_when_nothing_is_left(self, calls: Calls) -> None:
        booking = confirmed_booking()
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("19.99"))
        for ticket in Ticket.objects.filter(booking=booking):
            assert refund_ticket(command(ticket)) is None
        assert calls("payments.refund") == []
        assert sum(refund.amount for refund in Refund.objects.all()) == Decimal("20.00")

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("answered", UNANSWERED)
    @pytest.mark.parametrize("operation", ["receipts.void", "payments.refund"])
    def test_does_each_once_when_an_answer_is_lost(
        self, charged: Ticket, fault: Fault, operation: str, answered: dict[str, object]
    ) -> None:
        fault(operation, **answered)
        with pytest.raises(TemporaryUpstreamError):
            refund_ticket(command(charged))
        done = {"receipts.void": "requested", "payments.refund": "receipt_voided"}
        assert Refund.objects.get().status == done[operation]
        record(charged)
        assert_refunded_once(charged)

    def test_never_refunds_before_the_receipt_is_void(self, charged: Ticket, fault: Fault, calls: Calls) -> None:
        fault("receipts.void", status=500, count=3)
        for _ in range(3):
            with pytest.raises(TemporaryUpstreamError):
                refund_ticket(command(charged))
        assert calls("payments.refund") == []

    def test_goes_on_where_it_was(self, charged: Ticket, fault: Fault, calls: Calls) -> None:
        fault("payments.refund", status=500)
        with pytest.raises(TemporaryUpstreamError):
            refund_ticket(command(charged))
        record(charged)
        assert (len(calls("receipts.void")), len(calls("payments.refund"))) == (1, 2)

    @pytest.mark.parametrize("status", [400, 403, 409])
    @pytest.mark.parametrize("operation", ["receipts.void", "payments.refund"])
    def test_is_failed_by_a_refusal_and_can_be_tried_again(
        self, charged: Ticket, fault: Fault, operation: str, status: int
    ) -> None:
        fault(operation, status=status)
        with pytest.raises(PermanentUpstreamError):
            refund_ticket(command(charged))
        refund = Refund.objects.get()
        assert refund.status == "failed"
        assert f"answered {status}" in refund.failure
        assert "TicketRefunded_v1" not in names()
        record(charged)
        assert_refunded_once(charged)


@pytest.mark.django_db(transaction=True)
class TestRefundTicketDelivered:
    @pytest.fixture(autouse=True)
    def _table(self, table: UseTable) -> None:
        table(TABLE)

    def test_refunds_once_for_commands_that_come_twice(self, ticket: Ticket, calls: Calls) -> None:
        ask(ticket)
        tell(command(ticket), command(ticket))
        for _ in range(4):
            deliver_now()
        assert set(statuses()) == {"delivered"}
        assert len(payments.refunds()) == len(calls("payments.refund")) == 1
        assert payload("TicketRefunded_v1")["ticket_id"] == str(ticket.id)

    def test_refunds_once_for_two_commands_at_the_same_time(self, ticket: Ticket, fault: Fault, calls: Calls) -> None:
        deliver_now()
        ask(ticket)
        fault("payments.refund", delay_ms=300)
        with meanwhile(deliver_now):
            wait_for(calls, "payments.refund")
            tell(command(ticket))
            deliver_now()
        deliver_now()
        assert set(statuses()) == {"delivered"}
        assert_refunded_once(ticket)

    def test_is_noted_as_refunded_when_another_delivery_was_refused_meanwhile(
        self, ticket: Ticket, fault: Fault, calls: Calls
    ) -> None:
        deliver_now()
        ask(ticket)
        fault("payments.refund", delay_ms=500)
        fault("payments.refund", status=403)
        with meanwhile(deliver_now):
            wait_for(calls, "payments.refund")
            tell(command(ticket))
            deliver_now()
            assert Refund.objects.get().status == "failed"
        assert_refunded_once(ticket)
        assert sorted(statuses()) == ["delivered", "delivered", "parked"]

    def test_is_woken_by_the_receipt_that_it_waits_for(self, ticket: Ticket, fault: Fault, calls: Calls) -> None:
        fault("receipts.issue", delay_ms=500)
        waiting = Delivery.objects.filter(handler="bookings.refund_ticket")
        with meanwhile(deliver_now):
            wait_for(calls, "receipts.issue")
            ask(ticket)
            deliver_now()
            assert waiting.get().waits_for == str(ticket.id)
            waiting.update(available_at="2036-01-01T00:00:00Z")
        deliver_due()
        assert set(statuses()) == {"delivered"}
        assert_refunded_once(ticket)

    def test_is_parked_after_a_refusal_and_refunds_when_retried(self, ticket: Ticket, fault: Fault) -> None:
        deliver_now()
        ask(ticket)
        fault("payments.refund", status=403)
        deliver_now()
        parked = Delivery.objects.get(status="parked")
        assert (parked.handler, Refund.objects.get().status) == ("bookings.refund_ticket", "failed")
        retry_delivery(parked.pk, by="ann", at=timezone.now())
        deliver_now()
        assert_refunded_once(ticket)
        assert set(statuses()) == {"delivered"}

    def test_refunds_once_when_it_is_asked_for_anew_and_retried_besides(self, ticket: Ticket, fault: Fault) -> None:
        deliver_now()
        ask(ticket)
        fault("receipts.void", status=403)
        deliver_now()
        ask(ticket)
        retry_delivery(Delivery.objects.get(status="parked").pk, by="ann", at=timezone.now())
        for _ in range(2):
            deliver_now()
        assert_refunded_once(ticket)
        assert set(statuses()) == {"delivered"}
