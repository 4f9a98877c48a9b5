"""From the request for a VIP bundle to its end: real site, real worker, real gateway, and what can go wrong between."""

import email
import email.policy
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Receipt, Show
from tests.journeys.bundles import (
    Gateway,
    Wish,
    all_done,
    ask,
    assert_booked,
    assert_one_booking_per_leg,
    assert_printed,
    assert_taken_back,
    commands_of,
    seats_held,
    the,
    tickets_of,
    wish,
)
from tests.journeys.conftest import Site
from tests.processes import eventually, worker
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.repairing import retry_delivery

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60
"""Seconds: a machine may have much else to do."""


def mails_about(folder: Path, bundle_id: str) -> list[EmailMessage]:
    parts = [part for file in folder.iterdir() for part in file.read_bytes().split(b"\n" + b"-" * 79 + b"\n")]
    found = [email.message_from_bytes(part, policy=email.policy.default) for part in parts if part.strip()]
    return [mail for mail in found if isinstance(mail, EmailMessage) and bundle_id in text_of(mail)]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


def fails_at(step: str, wanted: Wish, gateway: Gateway) -> None:
    """Leave nothing to be had at the step."""
    match step:
        case "show":
            Show.objects.filter(id=wanted.show_id).update(number_of_tickets=wanted.tickets - 1)
        case "taxi":
            gateway.set_taxis(0)
        case leg:
            gateway.set_seats(wanted.flights[leg], wanted.tickets - 1)


def all_receipts_issued() -> bool:
    return Receipt.objects.exclude(number="").count() == 3


class TestSuccess:
    def test_books_all_that_is_wanted_once(
        self, customer: Site, show_id: str, gateway: Gateway, tmp_path: Path
    ) -> None:
        wishes = [wish(show_id, return_flight=back, taxi=taxi) for back in (True, False) for taxi in (True, False)]
        with worker(EMAIL_URL=f"filemail:///{tmp_path}/mail"):
            asked = {ask(customer, wanted): wanted for wanted in wishes}
            eventually(all_done, seconds=PATIENCE)
        for bundle_id, wanted in asked.items():
            bundle = the(bundle_id)
            assert_booked(bundle, gateway)
            legs, taxis = len(wanted.flights), int(wanted.taxi)
            assert commands_of(bundle) == Counter(BookShowTickets=1, BookFlight=legs, BookTaxi=taxis)
            [mail] = mails_about(tmp_path / "mail", bundle_id)
            assert mail["Subject"] == "Your VIP bundle for Carmen is complete"
            assert seats_held(bundle) == 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Where nothing is to be had, which flights are booked by then, and what is sent in all."""

    at: str
    return_flight: bool = True
    legs: tuple[str, ...] = ()
    sent: dict[str, int]


FAILURES = {
    "sold out": Failure(at="show", sent={}),
    "inbound": Failure(at="inbound", sent={"BookFlight": 1, "RefundTicket": 3}),
    "return": Failure(
        at="return", legs=("inbound",), sent={"BookFlight": 2, "RefundTicket": 3, "CancelFlightTickets": 1}
    ),
    "taxi": Failure(
        at="taxi",
        legs=("inbound", "return"),
        sent={"BookFlight": 2, "BookTaxi": 1, "RefundTicket": 3, "CancelFlightTickets": 2},
    ),
    "taxi after one flight": Failure(
        at="taxi",
        return_flight=False,
        legs=("inbound",),
        sent={"BookFlight": 1, "BookTaxi": 1, "RefundTicket": 3, "CancelFlightTickets": 1},
    ),
}


class TestFailure:
    @pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
    def test_takes_back_all_that_was_booked(
        self, customer: Site, show_id: str, gateway: Gateway, tmp_path: Path, failure: Failure
    ) -> None:
        wanted = wish(show_id, return_flight=failure.return_flight)
        fails_at(failure.at, wanted, gateway)
        with worker(EMAIL_URL=f"filemail:///{tmp_path}/mail"):
            bundle_id = ask(customer, wanted)
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert_taken_back(bundle, gateway)
        assert seats_held(bundle) == 0
        assert_printed(tickets_of(bundle), gateway)
        assert_one_booking_per_leg(bundle, gateway, *failure.legs)
        assert gateway.taxis_of(bundle) == []
        assert commands_of(bundle) == Counter(BookShowTickets=1, **failure.sent)
        assert len(tickets_of(bundle)) == failure.sent.get("RefundTicket", 0)
        [mail] = mails_about(tmp_path / "mail", bundle_id)
        assert mail["Subject"] == "Your VIP bundle for Carmen could not be completed"
        assert bundle.failure_reason in " ".join(text_of(mail).split())


KINDS: dict[str, dict[str, Any]] = {
    "error": {"status": 500},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    # Longer than our patience, which is a second: the service has done its part, and we do not know.
    "too late": {"delay_ms": 2500},
}
PASSES: dict[str, Any] = {"delay_ms": 1}


def hit_each_flight(gateway: Gateway, kind: dict[str, Any]) -> None:
    """Hit the first call of each leg, and let the second pass."""
    for each in (kind, PASSES, kind):
        gateway.fault("flights.book", **each)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestTrouble:
    def test_books_each_leg_once(self, customer: Site, show_id: str, gateway: Gateway, kind: dict[str, Any]) -> None:
        hit_each_flight(gateway, kind)
        for operation in ("taxis.book", "receipts.issue", "files.put"):
            gateway.fault(operation, **kind)
        with worker(GATEWAY_READ_TIMEOUT="1"):
            bundle_id = ask(customer, wish(show_id))
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert_booked(bundle, gateway)
        assert gateway.faults_left() == 0
        asked = Counter(call["idempotency_key"] for call in gateway.calls("flights.book"))
        assert set(asked) == {f"{bundle_id}:inbound", f"{bundle_id}:return"}
        assert min(asked.values()) >= 2
        assert {call["idempotency_key"] for call in gateway.calls("taxis.book")} == {f"{bundle_id}:taxi"}

    def test_takes_each_thing_back_once(
        self, customer: Site, show_id: str, gateway: Gateway, kind: dict[str, Any]
    ) -> None:
        gateway.set_taxis(0)
        hit_each_flight(gateway, kind)
        gateway.fault("taxis.book", **kind)
        # Until all receipts are there, so that all are to be voided.
        gateway.fault("taxis.book", count=1000, status=503)
        with worker(GATEWAY_READ_TIMEOUT="1"):
            bundle_id = ask(customer, wish(show_id))
            eventually(all_receipts_issued, seconds=PATIENCE)
            eventually(lambda: gateway.faults_left() == 1, seconds=PATIENCE)
            gateway.behave()
            for operation in ("receipts.void", "payments.refund", "flights.cancel"):
                gateway.fault(operation, **kind)
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert_taken_back(bundle, gateway)
        assert seats_held(bundle) == 0
        assert_one_booking_per_leg(bundle, gateway, "inbound", "return")
        assert len(gateway.receipts_of(tickets_of(bundle))) == 3
        assert commands_of(bundle) == Counter(
            BookShowTickets=1, BookFlight=2, BookTaxi=1, RefundTicket=3, CancelFlightTickets=2
        )
        assert gateway.faults_left() == 0


class TestPerson:
    @pytest.mark.parametrize(("operation", "handler"), [("flights.book", "book_flight"), ("taxis.book", "book_taxi")])
    def test_has_what_a_service_refused_tried_again(
        self, customer: Site, show_id: str, gateway: Gateway, operation: str, handler: str
    ) -> None:
        gateway.fault(operation, status=403)
        with worker():
            bundle_id = ask(customer, wish(show_id))
            parked = Delivery.objects.filter(status="parked")
            eventually(parked.exists, seconds=PATIENCE)
            assert (parked.get().handler, "403" in parked.get().last_error) == (f"vip_bundles.{handler}", True)
            assert not the(bundle_id).has_ended
            retry_delivery(parked.get().pk, by="ann", at=timezone.now())
            eventually(all_done, seconds=PATIENCE)
        assert_booked(the(bundle_id), gateway)

    @pytest.mark.parametrize(
        "sent",
        [
            Counter(BookFlight=1, CancelFlightTickets=1),
            Counter(BookFlight=2, CancelFlightTickets=2, BookTaxi=1, CancelTaxi=1),
        ],
        ids=["flight", "taxi"],
    )
    def test_rolls_back_what_is_booked_only_afterwards(
        self, customer: Site, staff: Site, show_id: str, gateway: Gateway, sent: Counter[str]
    ) -> None:
        operation = "taxis" if sent["BookTaxi"] else "flights"
        # The service books at once, and says so when the bundle has failed already.
        gateway.fault(f"{operation}.book", delay_ms=4000)
        gateway.fault(f"{operation}.cancel", status=500)
        gateway.fault(f"{operation}.cancel", drop="after")
        with worker():
            bundle_id = ask(customer, wish(show_id))
            eventually(lambda: gateway.calls(f"{operation}.book"), seconds=PATIENCE)
            answer = staff.post(f"/vip-bundles/{bundle_id}/rollback/", expected=200, reason="The customer is ill.")
            assert answer["state"] == "failed"
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert_taken_back(bundle, gateway)
        assert seats_held(bundle) == 0
        assert commands_of(bundle) == sent + Counter(BookShowTickets=1, RefundTicket=3)
        assert (bundle.failure_reason, gateway.faults_left()) == ("The customer is ill.", 0)
