"""The demo filled, then delivered: each bundle ends as promised, and one waits."""

from typing import Any

import pytest
import requests
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from bookings.models import Booking
from tests.working import deliver_all
from tickets_project.demo.filling import fill
from tickets_project.demo.shows import CARMEN, GIOVANNI, NABUCCO, ORCHARD
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.gateway.simulator.transportation import SOLD_OUT_FLIGHT
from tickets_project.outbox.models import Delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.schedules import flag_stuck_bundles


@pytest.fixture
def transported(db: None, simulator: Simulator, http: requests.Session) -> list[dict[str, Any]]:
    """Fill the demo and deliver everything; return the flight tickets and taxis that the service then lists."""
    del db
    fill(at=timezone.now())
    deliver_all()
    listed = [http.get(f"{simulator.url}/transportation-api/{what}").json() for what in LISTED]
    return [row for rows in listed for row in rows]


LISTED = ("flight-tickets", "taxi-booking")


def of(bundle: VipBundle, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["reference_id"] == str(bundle.id)]


def bundle_of(title: str) -> VipBundle:
    return VipBundle.objects.get(show_title=title)


class TestFill:
    def test_has_a_bundle_booked_both_ways_with_a_taxi(self, transported: list[dict[str, Any]]) -> None:
        bundle = bundle_of(CARMEN)
        assert bundle.state == State.FINALIZED
        assert [row["cancelled"] for row in of(bundle, transported)] == [False] * 5
        assert not bundle.tickets.filter(printed_at=None).exists()
        assert bundle.tickets.count() == 2

    def test_has_a_bundle_booked_one_way(self, transported: list[dict[str, Any]]) -> None:
        bundle = bundle_of(ORCHARD)
        assert bundle.state == State.FINALIZED
        assert [row["cancelled"] for row in of(bundle, transported)] == [False]

    def test_has_a_bundle_taken_back_as_its_return_flight_is_sold_out(
        self, transported: list[dict[str, Any]], simulator: Simulator, http: requests.Session
    ) -> None:
        bundle = bundle_of(NABUCCO)
        assert (bundle.state, str(bundle.return_flight_id)) == (State.FAILED, SOLD_OUT_FLIGHT)
        assert [row["cancelled"] for row in of(bundle, transported)] == [True] * 3
        refunds = {row["payment_reference"] for row in http.get(f"{simulator.url}/payments-api/refunds").json()}
        tickets = {str(ticket.ticket_id): ticket.refunded_at for ticket in bundle.tickets.all()}
        assert len(tickets) == 3
        assert None not in tickets.values()
        assert set(tickets) <= refunds

    @pytest.mark.usefixtures("transported")
    def test_has_a_bundle_that_waits_for_the_vendor_and_is_stuck(self, settings: Settings) -> None:
        settings.OPS_EMAIL = "ops@tickets.example"
        bundle = bundle_of(GIOVANNI)
        assert bundle.state == State.BOOKING_INBOUND_FLIGHT
        assert Booking.objects.get(id=bundle.booking_id).status == "pending"
        assert flag_stuck_bundles(at=timezone.now()) == 1
        deliver_all()
        assert [message.subject for message in mail.outbox if message.to == ["ops@tickets.example"]] == [
            "A VIP bundle for Don Giovanni has not ended in time"
        ]

    @pytest.mark.usefixtures("transported")
    def test_leaves_nothing_undelivered_but_what_waits_for_the_vendor(self) -> None:
        assert list(Delivery.objects.exclude(status="delivered").values_list("handler", "last_error")) == [
            ("vip_bundles.on_flight_failed", "0 of 2 tickets are confirmed; all of them are to be refunded.")
        ]
