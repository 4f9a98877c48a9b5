"""VIP bundles of a show that the vendor sells: its tickets are confirmed late, twice, one by one, or never."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from bookings.models import Booking
from bookings.schedules import release_unconfirmed_bookings
from tests.journeys.bundles import (
    Gateway,
    Wish,
    all_done,
    ask,
    assert_booked,
    assert_one_booking_per_leg,
    assert_printed,
    assert_taken_back,
    assert_told_once,
    commands_of,
    seats_held,
    the,
    tickets_of,
    wish,
)
from tests.journeys.conftest import Site, put_up_show
from tests.journeys.test_vendor import Vendor
from tests.processes import eventually, worker
from tests.signing import SECRET, signature
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Delivery, Message
from vip_bundles.models import VipBundle
from vip_bundles.schedules import flag_stuck_bundles

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60
IN_A_WHILE = timedelta(minutes=16)

Confirm = Callable[[VipBundle, int], None]


@pytest.fixture
def webhook(live_server: LiveServer, settings: Settings) -> str:
    settings.VENDOR_WEBHOOK_SECRET = SECRET
    return f"{live_server.url}/api/v1/vendor/tickets-status/"


@pytest.fixture
def simulator(tmp_path: Path, settings: Settings, webhook: str) -> Iterator[Simulator]:
    """Be the gateway, with a vendor that calls the site back."""
    with Simulator(files=tmp_path / "files", vendor_webhook_url=webhook, vendor_webhook_secret=SECRET) as simulator:
        settings.GATEWAY_URL = simulator.url
        yield simulator


@pytest.fixture
def vendor(simulator: Simulator, http: requests.Session) -> Vendor:
    return Vendor(simulator, http)


@pytest.fixture
def confirm(webhook: str, http: requests.Session) -> Confirm:
    """Return how the vendor confirms tickets when the test wants it to."""

    def confirm(bundle: VipBundle, tickets: int) -> None:
        told = [
            {
                "ticket_id": str(uuid4()),
                "booking_id": str(bundle.booking_id),
                "status": "confirmed",
                "customer_email": bundle.customer_email,
                "price": {"amount": "10.00", "currency": "EUR"},
            }
            for _ in range(tickets)
        ]
        body = json.dumps({"tickets": told}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())} | signature(body)
        answer = http.post(webhook, data=body, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text

    return confirm


@pytest.fixture
def wanted(staff: Site) -> Wish:
    return wish(put_up_show(staff, dead_nation_id=str(uuid4())))


def failure_waits() -> bool:
    return Delivery.objects.filter(handler="vip_bundles.on_flight_failed", waiting_since__isnull=False).exists()


def sequences(name: str) -> list[int]:
    return list(Message.objects.filter(type=name).values_list("sequence", flat=True))


def assert_nothing_happens(bundle: VipBundle, gateway: Gateway) -> None:
    """Its flight is not to be had, and nothing is taken back or told yet."""
    assert bundle.state == "booking_inbound_flight"
    assert commands_of(bundle) == Counter(BookShowTickets=1, BookFlight=1)
    assert gateway.refunds() == Counter()
    assert sequences("VipBundleFinalized_v1") == []


class TestVendorsShow:
    @pytest.mark.parametrize("fails_at", ["nothing", "taxi"])
    def test_bears_that_the_vendor_says_everything_twice(
        self, customer: Site, wanted: Wish, gateway: Gateway, vendor: Vendor, fails_at: str
    ) -> None:
        vendor.behave(callback="twice")
        gateway.set_taxis(0 if fails_at == "taxi" else None)
        with worker():
            bundle_id = ask(customer, wanted)
            vendor.answered(200, 200)
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert len(tickets_of(bundle)) == 3
        if fails_at == "taxi":
            assert_taken_back(bundle, gateway)
            assert seats_held(bundle) == 0
            assert commands_of(bundle)["RefundTicket"] == 3
        else:
            assert_booked(bundle, gateway)
        assert len(gateway.calls("dead_nation.book")) == 1

    def test_is_taken_back_only_when_the_vendor_has_confirmed_late(
        self, customer: Site, wanted: Wish, gateway: Gateway, vendor: Vendor
    ) -> None:
        vendor.behave(callback="late", delay_ms=5000)
        gateway.set_seats(wanted.inbound, 2)
        with worker():
            bundle_id = ask(customer, wanted)
            eventually(failure_waits, seconds=PATIENCE)
            eventually(all_done, seconds=PATIENCE)
        bundle = the(bundle_id)
        assert_taken_back(bundle, gateway)
        assert seats_held(bundle) == 0
        assert_printed(tickets_of(bundle), gateway)
        [failed] = sequences("FlightBookingFailed_v1")
        confirmed, sent_back = sequences("TicketBookingConfirmed_v1"), sequences("RefundTicket")
        assert (len(confirmed), len(sent_back)) == (3, 3)
        assert failed < min(confirmed) < max(confirmed) < min(sent_back)

    def test_waits_for_the_last_ticket(
        self, customer: Site, wanted: Wish, gateway: Gateway, vendor: Vendor, confirm: Confirm
    ) -> None:
        vendor.behave(callback="never")
        gateway.set_seats(wanted.inbound, 2)
        with worker():
            bundle_id = ask(customer, wanted)
            eventually(failure_waits, seconds=PATIENCE)
            confirm(the(bundle_id), 2)
            waiting = Delivery.objects.filter(handler="vip_bundles.on_flight_failed", last_error__startswith="2 of 3")
            eventually(waiting.exists, seconds=PATIENCE)
            assert_nothing_happens(the(bundle_id), gateway)
            assert "2 of 3 tickets" in customer.get(f"/vip-bundles/{bundle_id}/")["waits_for"]
            confirm(the(bundle_id), 1)
            eventually(all_done, seconds=PATIENCE)
        assert_taken_back(the(bundle_id), gateway)
        assert seats_held(the(bundle_id)) == 0
        assert commands_of(the(bundle_id)) == Counter(BookShowTickets=1, BookFlight=1, RefundTicket=3)


class TestSilentVendor:
    @pytest.fixture
    def stuck(
        self, customer: Site, wanted: Wish, gateway: Gateway, vendor: Vendor, settings: Settings
    ) -> Iterator[VipBundle]:
        """Leave a bundle whose failure waits for the vendor, with the worker at work."""
        settings.OPS_EMAIL = "ops@tickets.example"
        vendor.behave(callback="never")
        gateway.set_seats(wanted.inbound, 2)
        with worker():
            bundle_id = ask(customer, wanted)
            eventually(failure_waits, seconds=PATIENCE)
            assert flag_stuck_bundles(at=timezone.now()) == 0
            assert flag_stuck_bundles(at=timezone.now() + IN_A_WHILE) == 1
            assert_nothing_happens(the(bundle_id), gateway)
            yield the(bundle_id)

    def roll_back(self, stuck: VipBundle, staff: Site) -> None:
        [listed] = staff.get("/vip-bundles/", stuck="true")["results"]
        assert listed["vip_bundle_id"] == str(stuck.id)
        staff.post(f"/vip-bundles/{stuck.id}/rollback/", expected=200, reason="The vendor is silent.")
        eventually(all_done, seconds=PATIENCE)
        assert Notification.objects.filter(template="vip_bundle_stuck", state="sent").count() == 1
        assert staff.get("/vip-bundles/", stuck="true")["results"] == []
        assert_told_once(the(stuck.id), success=False)

    def test_may_still_confirm_what_a_person_has_rolled_back(
        self, stuck: VipBundle, staff: Site, gateway: Gateway, confirm: Confirm
    ) -> None:
        self.roll_back(stuck, staff)
        assert (gateway.refunds(), seats_held(stuck)) == (Counter(), 3)
        confirm(stuck, 3)
        eventually(lambda: len(sequences("TicketRefunded_v1")) == 3 and all_done(), seconds=PATIENCE)
        assert_taken_back(the(stuck.id), gateway)
        assert seats_held(the(stuck.id)) == 0
        assert commands_of(stuck) == Counter(BookShowTickets=1, BookFlight=1, RefundTicket=3)

    def test_may_confirm_when_the_seats_are_released_already(
        self, stuck: VipBundle, staff: Site, gateway: Gateway, confirm: Confirm
    ) -> None:
        self.roll_back(stuck, staff)
        assert release_unconfirmed_bookings(at=timezone.now() + IN_A_WHILE) == 1
        assert (Booking.objects.get().status, seats_held(stuck)) == ("cancelled", 0)
        confirm(stuck, 3)
        eventually(lambda: len(sequences("TicketRefunded_v1")) == 3 and all_done(), seconds=PATIENCE)
        assert_taken_back(the(stuck.id), gateway)
        assert seats_held(the(stuck.id)) == 0

    def test_is_waited_for_no_more_when_a_person_has_the_flight_tried_again(
        self, stuck: VipBundle, staff: Site, gateway: Gateway, confirm: Confirm
    ) -> None:
        gateway.set_seats(str(stuck.inbound_flight_id), 3)
        staff.post(f"/vip-bundles/{stuck.id}/retry/", expected=200, reason="Seats were given back.")
        eventually(all_done, seconds=PATIENCE)
        confirm(stuck, 3)
        eventually(lambda: len(sequences("TicketBookingConfirmed_v1")) == 3 and all_done(), seconds=PATIENCE)
        bundle = the(stuck.id)
        assert_booked(bundle, gateway)
        assert_one_booking_per_leg(bundle, gateway, "inbound", "return")
        assert commands_of(bundle) == Counter(BookShowTickets=1, BookFlight=3, BookTaxi=1)
        assert bundle.stuck_at is None
