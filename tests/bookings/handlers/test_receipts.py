"""Receipts against the simulated service: one per ticket, and none that is valid of a ticket that was called off."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.utils import timezone

from bookings.commands import RefundTicket
from bookings.events import TicketBookingConfirmedV1
from bookings.handlers.receipts import issue_receipt
from bookings.handlers.refunds import refund_ticket
from bookings.models import Receipt, Refund, Ticket
from bookings.services import activate_ticket, cancel_booking, request_refund, scan
from bookings.services.receipts import ask_for_receipt, record_issued
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
from tests.factories import NOON, ShowFactory, confirmed_booking, only_ticket, owner_act, staff_act
from tickets_project.gateway import payments, receipts
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.subscriptions import Subscription

TABLE = only(
    Subscription(TicketBookingConfirmedV1, "bookings.issue_receipt", issue_receipt, external=True),
    Subscription(RefundTicket, "bookings.refund_ticket", refund_ticket, external=True),
)


@pytest.fixture
def ticket(db: None) -> Ticket:  # noqa: ARG001 - opens the database
    return only_ticket(confirmed_booking(show=ShowFactory.create(price_amount=Decimal("50.30")), seats=1))


def record(message: TicketBookingConfirmedV1) -> None:
    recording = issue_receipt(message)
    assert recording is not None
    recording()


def let_in(ticket: Ticket) -> None:
    activate_ticket(ticket_id=ticket.id, act=staff_act(), code=None)
    assert ticket.booking
    scan(code=ticket.redemption_code, act=staff_act(at=ticket.booking.valid_from), location="", nonce=None)


def ask_refund(ticket: Ticket) -> None:
    assert ticket.booking
    request_refund(ticket_id=ticket.id, act=owner_act(ticket.booking))


def cancel(ticket: Ticket, *, amount: str = "0.00") -> None:
    """Cancel its booking, with an amount that a person pays, if any."""
    assert ticket.booking
    cancel_booking(booking_id=ticket.booking.id, act=staff_act(), refund_amount=Decimal(amount))


@pytest.mark.django_db
class TestIssueReceipt:
    def test_asks_with_a_key_that_contains_the_ticket(self, ticket: Ticket, calls: Calls) -> None:
        record(confirmed(ticket))
        (issued,) = receipts.listing()
        assert (issued.ticket_id, issued.price, issued.voided) == (str(ticket.id), ticket.price, False)
        assert [call["idempotency_key"] for call in calls("receipts.issue")] == [f"{ticket.id}:receipt"]

    @pytest.mark.usefixtures("simulator")
    def test_notes_and_announces_what_the_service_says(self, ticket: Ticket) -> None:
        record(confirmed(ticket))
        (issued,) = receipts.listing()
        receipt = Receipt.objects.get()
        assert (receipt.ticket, receipt.number, receipt.issued_at) == (ticket, issued.number, issued.issued_at)
        assert receipt.voided_at is None
        assert payload("TicketReceiptIssued_v1") == {
            "ticket_id": str(ticket.id),
            "receipt_number": issued.number,
            "issued_at": issued.issued_at.isoformat().replace("+00:00", "Z"),
        }

    @pytest.mark.usefixtures("simulator")
    def test_stores_before_anything_is_recorded(self, ticket: Ticket) -> None:
        assert issue_receipt(confirmed(ticket)) is not None
        assert Receipt.objects.get().number == ""
        assert "TicketReceiptIssued_v1" not in names()

    def test_calls_nobody_for_a_ticket_that_has_its_receipt(self, ticket: Ticket, calls: Calls) -> None:
        record(confirmed(ticket))
        assert issue_receipt(confirmed(ticket)) is None
        assert len(calls("receipts.issue")) == 1

    def test_waits_for_an_unknown_ticket(self, ticket: Ticket, calls: Calls) -> None:
        unknown = TicketBookingConfirmedV1(
            ticket_id=str(uuid4()), customer_email="", price=ticket.price, booking_id=str(uuid4())
        )
        with pytest.raises(NotYet, match=unknown.ticket_id):
            issue_receipt(unknown)
        assert calls("receipts.issue") == []

    @pytest.mark.parametrize("amount", ["0.00", "25.15", "50.30"])
    def test_is_not_for_a_cancelled_ticket(self, ticket: Ticket, calls: Calls, amount: str) -> None:
        cancel(ticket, amount=amount)
        assert issue_receipt(confirmed(ticket)) is None
        assert calls("receipts.issue") == []
        assert not Receipt.objects.exists()

    def test_is_not_for_a_refunded_ticket_that_was_used(self, ticket: Ticket, calls: Calls) -> None:
        let_in(ticket)
        request_refund(ticket_id=ticket.id, act=staff_act())
        assert issue_receipt(confirmed(ticket)) is None
        assert calls("receipts.issue") == []

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(
        ("answered", "error"),
        [
            ({"status": 500}, TemporaryUpstreamError),
            ({"drop": "before"}, TemporaryUpstreamError),
            ({"drop": "after"}, TemporaryUpstreamError),
            ({"delay_ms": 4000}, TemporaryUpstreamError),
            ({"status": 400}, PermanentUpstreamError),
            ({"status": 409}, PermanentUpstreamError),
        ],
    )
    def test_asks_again_with_the_same_key_when_it_has_no_answer(
        self, ticket: Ticket, fault: Fault, calls: Calls, answered: dict[str, object], error: type[Exception]
    ) -> None:
        fault("receipts.issue", **answered)
        with pytest.raises(error):
            issue_receipt(confirmed(ticket))
        assert Receipt.objects.get().number == ""
        assert "TicketReceiptIssued_v1" not in names()
        record(confirmed(ticket))
        assert {call["idempotency_key"] for call in calls("receipts.issue")} == {f"{ticket.id}:receipt"}
        assert voided() == [False]
        assert payload("TicketReceiptIssued_v1")["receipt_number"] == receipts.listing()[0].number

    @pytest.mark.usefixtures("simulator")
    def test_takes_a_key_that_was_used_for_another_ticket_for_a_refusal(self, ticket: Ticket) -> None:
        receipts.issue(ticket_id="other", price=ticket.price, idempotency_key=f"{ticket.id}:receipt")
        with pytest.raises(PermanentUpstreamError, match="was used for the ticket other"):
            issue_receipt(confirmed(ticket))

    @pytest.mark.parametrize("answered", [{"status": 500}, {"drop": "after"}])
    @pytest.mark.parametrize("amount", ["0.00", "25.15"])
    def test_leaves_none_that_is_valid_of_a_ticket_cancelled_before_the_answer(
        self, ticket: Ticket, fault: Fault, calls: Calls, answered: dict[str, object], amount: str
    ) -> None:
        """An earlier attempt may have had its effect, so it is asked again, and what there is then is voided."""
        fault("receipts.issue", **answered)
        with pytest.raises(TemporaryUpstreamError):
            issue_receipt(confirmed(ticket))
        cancel(ticket, amount=amount)
        record(confirmed(ticket))
        assert voided() == [True]
        receipt = Receipt.objects.get()
        assert (receipt.number, receipt.voided_at is None) == (receipts.listing()[0].number, False)
        assert [call["idempotency_key"] for call in calls("receipts.void")] == [f"{ticket.id}:void"]

    def test_is_voided_by_a_refund_that_comes_before_its_answer_is_noted(self, ticket: Ticket, calls: Calls) -> None:
        recording = issue_receipt(confirmed(ticket))
        assert recording
        ask_refund(ticket)
        with pytest.raises(NotYet, match="is being issued"):
            refund_ticket(RefundTicket(ticket_id=str(ticket.id)))
        recording()
        assert refund_ticket(RefundTicket(ticket_id=str(ticket.id)))
        assert (voided(), len(calls("payments.refund"))) == ([True], 1)


@pytest.mark.django_db(transaction=True)
class TestIssueReceiptDelivered:
    @pytest.fixture(autouse=True)
    def _table(self, table: UseTable) -> None:
        table(TABLE)

    def test_issues_one_for_a_message_that_comes_twice(self, ticket: Ticket, calls: Calls) -> None:
        tell(confirmed(ticket))
        for _ in range(3):
            deliver_now()
        assert statuses() == ["delivered", "delivered"]
        assert (voided(), len(calls("receipts.issue"))) == ([False], 1)
        assert payload("TicketReceiptIssued_v1")["ticket_id"] == str(ticket.id)

    def test_issues_one_for_two_messages_at_the_same_time(self, ticket: Ticket, fault: Fault, calls: Calls) -> None:
        fault("receipts.issue", delay_ms=300)
        with meanwhile(deliver_now):
            wait_for(calls, "receipts.issue")
            tell(confirmed(ticket))
            deliver_now()
        deliver_now()
        assert statuses() == ["delivered", "delivered"]
        assert voided() == [False]
        assert payload("TicketReceiptIssued_v1")["ticket_id"] == str(ticket.id)

    @pytest.mark.usefixtures("ticket")
    def test_is_tried_again_after_a_hiccup_and_parked_after_a_refusal(self, fault: Fault) -> None:
        fault("receipts.issue", status=500)
        fault("receipts.issue", status=403)
        deliver_now()
        assert statuses() == ["pending"]
        deliver_now()
        assert statuses() == ["parked"]

    @pytest.mark.parametrize("call_off", [ask_refund, cancel])
    def test_leaves_none_that_is_valid_when_it_is_called_off_while_the_service_is_asked(
        self, ticket: Ticket, fault: Fault, calls: Calls, call_off: Callable[[Ticket], None]
    ) -> None:
        """The call is in the air: it holds no lock, and a refund waits for its end."""
        fault("receipts.issue", delay_ms=700)
        with meanwhile(deliver_now):
            wait_for(calls, "receipts.issue")
            call_off(ticket)
            deliver_now()
            assert calls("receipts.void") == calls("payments.refund") == []
        deliver_now()
        assert set(statuses()) == {"delivered"}
        assert (voided(), len(calls("receipts.void"))) == ([True], 1)
        assert len(payments.refunds()) == len(calls("payments.refund")) == Refund.objects.count()


@pytest.mark.django_db
class TestAskForReceipt:
    def test_of_an_unknown_ticket_is_refused(self) -> None:
        with pytest.raises(Ticket.DoesNotExist):
            ask_for_receipt(ticket_id=uuid4(), at=NOON)

    def test_notes_the_first_time(self, ticket: Ticket) -> None:
        assert ask_for_receipt(ticket_id=ticket.id, at=NOON)
        assert ask_for_receipt(ticket_id=ticket.id, at=timezone.now())
        assert Receipt.objects.get().asked_at == NOON


@pytest.mark.django_db
class TestRecordIssued:
    def test_keeps_the_first_note_and_adds_that_it_is_void(self, ticket: Ticket) -> None:
        ask_for_receipt(ticket_id=ticket.id, at=NOON)
        note = partial(record_issued, ticket_id=ticket.id, issued_at=NOON)
        note(number="R-1", voided_at=None)
        note(number="R-2", voided_at=NOON)
        note(number="R-3", voided_at=timezone.now())
        receipt = Receipt.objects.get()
        assert (receipt.number, receipt.voided_at) == ("R-1", NOON)
        assert payload("TicketReceiptIssued_v1")["receipt_number"] == "R-1"
