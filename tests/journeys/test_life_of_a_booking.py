"""The whole life of a booking over real HTTP, with the worker and the gateway: from the reservation to the door."""

import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from bookings.models import Refund
from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Delivery, Message, Status

pytestmark = pytest.mark.django_db(transaction=True)

Calls = Callable[..., list[dict[str, Any]]]


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status=Status.DELIVERED).exists()


def mails(folder: Path) -> dict[str, EmailMessage]:
    """Return the mails by their subjects."""
    parts = [part for file in folder.iterdir() for part in file.read_bytes().split(b"\n" + b"-" * 79 + b"\n")]
    found = [email.message_from_bytes(part, policy=email.policy.default) for part in parts if part.strip()]
    return {str(mail["Subject"]): mail for mail in found if isinstance(mail, EmailMessage)}


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def listed(simulator: Simulator, path: str) -> Any:
    return requests.get(simulator.url + path, timeout=5).json()


@pytest.fixture
def booking(customer: Site, show_id: str) -> dict[str, Any]:
    made = customer.post("/bookings/", show_id=show_id, number_of_tickets=2)
    path = f"/bookings/{made['booking_id']}/confirm/"
    data: dict[str, Any] = customer.post(path, expected=200, payment_id="pay-1")["data"]
    return data


class TestLifeOfABooking:
    def test_leads_from_the_confirmation_through_the_mail_to_the_door(
        self, customer: Site, staff: Site, booking: dict[str, Any], simulator: Simulator, tmp_path: Path
    ) -> None:
        with worker(EMAIL_URL=f"filemail:///{tmp_path}/mail"):
            eventually(all_delivered)
            [confirmation] = mails(tmp_path / "mail").values()
            assert booking["confirmation_code"] in text_of(confirmation)
            assert [part.get_content_type() for part in confirmation.iter_attachments()] == ["text/calendar"]
            codes = [
                next(iter(re.findall(rf"{ticket['ticket_id']}\W+(\w+)", text_of(confirmation))), "")
                for ticket in booking["tickets"]
            ] or []
            ticket = booking["tickets"][0]
            path = f"/tickets/{ticket['ticket_id']}/activate/"
            assert customer.post(path, expected=200, activation_code=codes[0])["data"]["status"] == "active"
            eventually(all_delivered)
        assert len(mails(tmp_path / "mail")) == 2
        refused = staff.post("/admin/tickets/redeem/", expected=409, redemption_code=ticket["redemption_code"])
        assert refused["code"] == "not_yet_valid"
        assert len(listed(simulator, "/receipts-api/receipts")) == 2
        rows = listed(simulator, "/spreadsheets-api/sheets/tickets-to-print/rows")["rows"]
        assert sorted(row[0] for row in rows) == sorted(entry["ticket_id"] for entry in booking["tickets"])
        [known] = staff.get("/ops/bookings/")["results"]
        assert all(entry["printed_at"] and entry["receipt_number"] for entry in known["tickets"])

    def test_takes_everything_back_when_it_is_cancelled_in_time(
        self, customer: Site, booking: dict[str, Any], simulator: Simulator, calls: Calls
    ) -> None:
        with worker():
            eventually(all_delivered)
            path = f"/bookings/{booking['booking_id']}/cancel/"
            assert customer.get(path) == {"refund_amount": "100.60", "currency": "EUR"}
            assert customer.post(path, expected=200, reason="ill")["data"]["refund_amount"] == "100.60"
            eventually(lambda: Refund.objects.filter(status="refunded").count() == 2)
            eventually(all_delivered)
        assert [receipt["voided"] for receipt in listed(simulator, "/receipts-api/receipts")] == [True, True]
        assert len(listed(simulator, "/payments-api/refunds")) == 2
        rows = listed(simulator, "/spreadsheets-api/sheets/tickets-to-refund/rows")["rows"]
        assert len(rows) == 2
        voided, refunded = (calls(name) for name in ("receipts.void", "payments.refund"))
        for ticket in booking["tickets"]:
            key = ticket["ticket_id"]
            [void] = [call for call in voided if call["idempotency_key"] == f"{key}:void"]
            [refund] = [call for call in refunded if call["idempotency_key"] == f"{key}:refund"]
            assert void["at"] < refund["at"]
        assert Notification.objects.filter(state="sent").count() == 4
        assert Message.objects.filter(type="TicketRefunded_v1").count() == 2
