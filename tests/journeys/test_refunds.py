"""From the booking to the money back: real site, real worker, real gateway, and what can go wrong between."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Receipt, Refund, Ticket, TrackerRow
from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tickets_project.gateway import payments, receipts, spreadsheets
from tickets_project.outbox.models import Delivery, Dispatcher, Message
from tickets_project.outbox.repairing import retry_delivery

pytestmark = pytest.mark.django_db(transaction=True)

Calls = Callable[..., list[dict[str, Any]]]
Fault = Callable[..., None]


def confirmed_tickets(customer: Site, show_id: str, *, seats: int = 1) -> tuple[str, list[str]]:
    """Book and pay; return the ids of the booking and of its tickets."""
    booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=seats)["booking_id"]
    answer = customer.post(f"/bookings/{booking}/confirm/", expected=200, payment_id=f"pay-{booking}")
    return booking, [ticket["ticket_id"] for ticket in answer["data"]["tickets"]]


def refund(customer: Site, ticket: str) -> None:
    assert customer.post(f"/tickets/{ticket}/refund/", expected=202, reason="ill")["status"] == "requested"


def all_issued() -> bool:
    return Receipt.objects.exists() and not Receipt.objects.filter(number="").exists()


def all_refunded() -> bool:
    return Refund.objects.exists() and not Refund.objects.exclude(status="refunded").exists()


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status="delivered").exists()


def kill_the_dispatchers() -> None:
    for dispatcher in Dispatcher.objects.all():
        os.kill(dispatcher.pid, signal.SIGKILL)


def assert_refunded_once(*tickets: str) -> None:
    """One void receipt, one payment back and one message of each, and one row in each sheet."""
    issued = receipts.listing()
    assert sorted(receipt.ticket_id for receipt in issued) == sorted(tickets)
    assert all(receipt.voided for receipt in issued)
    assert sorted(paid.payment_reference for paid in payments.refunds()) == sorted(tickets)
    told = Message.objects.filter(type="TicketRefunded_v1").values_list("aggregateid", "payload__booking_id")
    bookings = Ticket.objects.filter(id__in=tickets).values_list("id", "booking_id")
    assert sorted(told) == sorted((str(ticket_id), str(booking_id)) for ticket_id, booking_id in bookings)
    for sheet in ("tickets-to-print", "tickets-to-refund"):
        assert sorted(row[0] for row in spreadsheets.rows(sheet)) == sorted(tickets)


class TestRefundJourney:
    def test_sends_a_tickets_money_back(self, customer: Site, show_id: str, calls: Calls) -> None:
        with worker():
            _, (ticket, other) = confirmed_tickets(customer, show_id, seats=2)
            eventually(all_issued)
            refund(customer, ticket)
            eventually(all_refunded)
            eventually(all_delivered)
        shown = customer.get(f"/tickets/{ticket}/")
        assert (shown["status"], shown["refunded_at"] is None) == ("cancelled", False)
        assert customer.get(f"/tickets/{other}/")["refunded_at"] is None
        assert {receipt.ticket_id: receipt.voided for receipt in receipts.listing()} == {ticket: True, other: False}
        assert [paid.reason for paid in payments.refunds()] == ["ill"]
        assert calls("receipts.void")[0]["at"] < calls("payments.refund")[0]["at"]
        assert [row[0] for row in spreadsheets.rows("tickets-to-refund")] == [ticket]
        assert sorted(spreadsheets.rows("tickets-to-print")) == sorted(
            [each, shown["customer_email"], "50.30", "EUR"] for each in (ticket, other)
        )

    def test_sends_back_all_of_a_cancelled_booking(self, customer: Site, show_id: str) -> None:
        with worker():
            booking, tickets = confirmed_tickets(customer, show_id, seats=3)
            eventually(all_issued)
            answer = customer.post(f"/bookings/{booking}/cancel/", expected=200)
            assert answer["data"]["refund_amount"] == "150.90"
            eventually(all_refunded)
            eventually(all_delivered)
        assert_refunded_once(*tickets)

    def test_comes_through_whatever_fails_for_a_while(self, customer: Site, show_id: str, fault: Fault) -> None:
        fault("receipts.issue", status=500)
        fault("receipts.issue", drop="after")
        fault("receipts.void", drop="before")
        fault("payments.refund", status=500)
        fault("payments.refund", drop="after")
        fault("spreadsheets.append", status=500, count=2)
        fault("spreadsheets.rows", status=500)
        with worker():
            _, (ticket,) = confirmed_tickets(customer, show_id)
            eventually(Receipt.objects.exists)
            refund(customer, ticket)
            eventually(all_refunded, seconds=30)
            eventually(all_delivered, seconds=20)
        assert_refunded_once(ticket)

    def test_appends_one_row_when_the_sheets_answer_is_lost(
        self, customer: Site, show_id: str, fault: Fault, calls: Calls
    ) -> None:
        fault("spreadsheets.append", drop="after")
        with worker(GATEWAY_CONNECT_TIMEOUT="1", GATEWAY_READ_TIMEOUT="1"):
            _, (ticket,) = confirmed_tickets(customer, show_id)
            eventually(TrackerRow.objects.filter(appended_at__isnull=False).exists, seconds=20)
        assert [row[0] for row in spreadsheets.rows("tickets-to-print")] == [ticket]
        assert len(calls("spreadsheets.append")) == 1

    @pytest.mark.parametrize("operation", ["receipts.void", "payments.refund"])
    def test_refunds_once_when_the_worker_is_killed_on_the_way(
        self, customer: Site, show_id: str, fault: Fault, calls: Calls, operation: str
    ) -> None:
        """The service does its part first and answers late: the kill comes after the effect and before its record."""
        with worker():
            _, (ticket,) = confirmed_tickets(customer, show_id)
            eventually(all_issued)
            eventually(all_delivered)
            fault(operation, delay_ms=4000)
            refund(customer, ticket)
            eventually(lambda: calls(operation))
            kill_the_dispatchers()
            assert not all_refunded()
            eventually(all_refunded, seconds=30)
            eventually(all_delivered, seconds=20)
        assert_refunded_once(ticket)
        assert len(calls(operation)) == 2
        assert {call["idempotency_key"] for call in calls(operation)} == {f"{ticket}:{operation.rpartition('.')[2]}"}
        assert Delivery.objects.get(handler="bookings.refund_ticket").attempts == 2

    def test_waits_for_a_receipt_that_is_still_being_issued(
        self, customer: Site, show_id: str, fault: Fault, calls: Calls
    ) -> None:
        fault("receipts.issue", delay_ms=2000)
        with worker():
            _, (ticket,) = confirmed_tickets(customer, show_id)
            eventually(lambda: calls("receipts.issue"))
            refund(customer, ticket)
            waiting = Delivery.objects.filter(handler="bookings.refund_ticket", waits_for=ticket)
            eventually(waiting.exists)
            assert calls("payments.refund") == []
            eventually(all_refunded, seconds=15)
            eventually(all_delivered)
        assert_refunded_once(ticket)

    @pytest.mark.parametrize("operation", ["receipts.void", "payments.refund"])
    def test_parks_what_a_service_refuses_and_refunds_when_retried(
        self, customer: Site, show_id: str, fault: Fault, operation: str
    ) -> None:
        fault(operation, status=403)
        with worker():
            _, (ticket,) = confirmed_tickets(customer, show_id)
            eventually(all_issued)
            refund(customer, ticket)
            parked = Delivery.objects.filter(status="parked")
            eventually(parked.exists)
            assert Refund.objects.get().status == "failed"
            assert "answered 403" in Refund.objects.get().failure
            retry_delivery(parked.get().pk, by="ann", at=timezone.now())
            eventually(all_refunded)
            eventually(all_delivered)
        assert_refunded_once(ticket)
