"""From the booking of a show that the vendor sells to its tickets: real site, real worker, the vendor calling back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from bookings.models import Refund, Show
from printing.models import PrintedTicket
from tests.journeys.conftest import Site, put_up_show
from tests.processes import eventually, worker
from tests.signing import SECRET
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

Calls = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def simulator(tmp_path: Path, settings: Settings, live_server: LiveServer) -> Iterator[Simulator]:
    """Be the gateway, with a vendor that calls the site back."""
    settings.VENDOR_WEBHOOK_SECRET = SECRET
    webhook = f"{live_server.url}/api/v1/vendor/tickets-status/"
    with Simulator(files=tmp_path / "files", vendor_webhook_url=webhook, vendor_webhook_secret=SECRET) as simulator:
        settings.GATEWAY_URL = simulator.url
        yield simulator


class Vendor:
    """What the simulated vendor is told to do, and what the site answers it."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self._url = f"{simulator.url}/_simulator/vendor"
        self._http = http

    def behave(self, **changes: object) -> None:
        """Do this with the bookings that follow."""
        assert self._http.post(self._url, json=changes).status_code == 200

    def answered(self, *statuses: int) -> None:
        """Wait until the site has answered so."""
        eventually(lambda: self.answers() == list(statuses), seconds=20)

    def answers(self) -> list[int | None]:
        """Return what the site has answered to each callback."""
        callbacks = self._http.get(f"{self._url}/callbacks").json()["callbacks"]
        return [callback["status"] for callback in callbacks]


@pytest.fixture
def vendor(simulator: Simulator, http: requests.Session) -> Vendor:
    """Return the way to the simulated vendor."""
    return Vendor(simulator, http)


@pytest.fixture
def show_id(staff: Site) -> str:
    """Put a show up that the vendor sells."""
    return put_up_show(staff, dead_nation_id=str(uuid4()))


def book(customer: Site, show_id: str, *, seats: int = 2) -> str:
    booking = customer.post("/bookings/", show_id=show_id, number_of_tickets=seats)
    assert booking["status"] == "pending"
    return f"/bookings/{booking['booking_id']}/"


def statuses(booking: dict[str, Any]) -> list[str]:
    return sorted(ticket["status"] for ticket in booking["tickets"])


def all_printed(count: int) -> Callable[[], bool]:
    return lambda: PrintedTicket.objects.count() == count


def seats_held() -> int:
    return Show.objects.get().seats_held


class TestVendorJourney:
    @pytest.mark.parametrize("callback", ["once", "twice"])
    def test_confirms_the_booking_and_prints_its_tickets(
        self,
        customer: Site,
        show_id: str,
        vendor: Vendor,
        callback: str,
        calls: Calls,
    ) -> None:
        vendor.behave(callback=callback, price={"amount": "55.00", "currency": "EUR"})
        path = book(customer, show_id)
        with worker():
            vendor.answered(*[200] * (2 if callback == "twice" else 1))
            eventually(all_printed(2), seconds=20)
        booking = customer.get(path)
        assert (booking["status"], statuses(booking)) == ("confirmed", ["pending"] * 2)
        assert {ticket["price"]["amount"] for ticket in booking["tickets"]} == {"55.00"}
        assert (len(calls("dead_nation.book")), seats_held()) == (1, 2)
        for name in ("ticket.created", "TicketBookingConfirmed_v1", "TicketPrinted_v1"):
            assert Message.objects.filter(type=name).count() == 2
        assert Message.objects.filter(type="booking.confirmed").count() == 1

    def test_follows_the_request_s_correlation_id_to_the_vendor(
        self, customer: Site, show_id: str, calls: Calls
    ) -> None:
        headers = {"Correlation-ID": "from-the-desk"}
        customer.post("/bookings/", headers=headers, show_id=show_id, number_of_tickets=1)
        with worker():
            eventually(lambda: calls("dead_nation.book"), seconds=20)
        assert [call["correlation_id"] for call in calls("dead_nation.book")] == ["from-the-desk"]

    def test_keeps_a_booking_pending_that_the_vendor_does_not_confirm(
        self, customer: Site, show_id: str, vendor: Vendor, calls: Calls
    ) -> None:
        vendor.behave(callback="never")
        path = book(customer, show_id)
        with worker():
            eventually(lambda: [call["status"] for call in calls("dead_nation.book")] == [200], seconds=20)
        assert (customer.get(path)["status"], seats_held()) == ("pending", 2)

    @pytest.mark.parametrize(("callback", "told"), [("cancelled_first", 0), ("cancelled", 2)])
    def test_ends_cancelled_whichever_comes_first(
        self,
        customer: Site,
        show_id: str,
        vendor: Vendor,
        callback: str,
        told: int,
    ) -> None:
        vendor.behave(callback=callback)
        path = book(customer, show_id)
        with worker():
            vendor.answered(200, 200)
        booking = customer.get(path)
        assert (booking["status"], statuses(booking)) == ("cancelled", ["cancelled"] * 2)
        assert seats_held() == 0
        assert Message.objects.filter(type="TicketBookingConfirmed_v1").count() == told
        assert Message.objects.filter(type="TicketBookingCanceled_v1").count() == 2

    def test_sends_back_what_is_more_than_booked(
        self, customer: Site, show_id: str, vendor: Vendor, calls: Calls
    ) -> None:
        vendor.behave(extra_tickets=1)
        path = book(customer, show_id)
        with worker():
            vendor.answered(200)
            eventually(all_printed(2), seconds=20)
            eventually(Refund.objects.filter(status="refunded").exists, seconds=20)
        booking = customer.get(path)
        assert (booking["status"], statuses(booking)) == ("confirmed", ["cancelled", "pending", "pending"])
        extra = next(ticket["ticket_id"] for ticket in booking["tickets"] if ticket["refunded_at"])
        assert Message.objects.get(type="RefundTicket").aggregateid == extra
        assert len(calls("payments.refund")) == 1
        assert (PrintedTicket.objects.filter(ticket_id=extra).exists(), seats_held()) == (False, 2)

    def test_sends_back_what_comes_after_the_customer_has_cancelled(
        self, customer: Site, show_id: str, vendor: Vendor, calls: Calls
    ) -> None:
        vendor.behave(callback="late", delay_ms=1500)
        path = book(customer, show_id)
        with worker():
            eventually(lambda: calls("dead_nation.book"), seconds=20)
            customer.post(f"{path}cancel/", expected=200)
            vendor.answered(200)
        booking = customer.get(path)
        assert (booking["status"], statuses(booking)) == ("cancelled", ["cancelled"] * 2)
        assert Message.objects.filter(type="RefundTicket").count() == 2
        assert seats_held() == 0

    def test_books_once_when_the_vendor_s_answer_is_lost(
        self, customer: Site, show_id: str, fault: Callable[..., None], vendor: Vendor, calls: Calls
    ) -> None:
        fault("dead_nation.book", drop="after")
        path = book(customer, show_id)
        with worker():
            vendor.answered(200)
            eventually(all_printed(2), seconds=20)
        assert (statuses(customer.get(path)), vendor.answers()) == (["pending"] * 2, [200])
        assert calls("dead_nation.book")[0]["status"] is None
