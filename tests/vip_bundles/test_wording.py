"""What the timeline says of each message."""

from typing import Any

import pytest

import vip_bundles.commands
import vip_bundles.events
from bookings.commands import BookShowTickets, RefundTicket
from tickets_project.subscriptions import SUBSCRIPTIONS
from vip_bundles.wording import TYPES, tell

OURS = {vip_bundles.commands.__name__, vip_bundles.events.__name__}


class TestTypes:
    def test_are_what_bundles_declare_hear_and_send(self) -> None:
        declared = {message.NAME for message in SUBSCRIPTIONS.declared if message.__module__ in OURS}
        heard = {entry.message.NAME for entry in SUBSCRIPTIONS if entry.key.startswith("vip_bundles.")}
        assert declared | heard | {BookShowTickets.NAME, RefundTicket.NAME} == TYPES


TOLD: list[tuple[str, dict[str, Any], str]] = [
    ("VipBundleInitialized_v1", {"vip_bundle_id": "b"}, ""),
    ("BookShowTickets", {"number_of_tickets": 3}, "3 tickets"),
    ("BookingMade_v1", {"number_of_tickets": 1}, "1 ticket"),
    ("BookingFailed_v1", {"failure_reason": "sold out"}, "sold out"),
    ("TicketBookingConfirmed_v1", {"ticket_id": "t"}, "ticket t"),
    ("BookFlight", {"to_flight_id": "f", "passengers": ["Ada", "Bob"]}, "flight f: 2 passengers"),
    ("FlightBooked_v1", {"flight_id": "f", "flight_tickets_ids": ["1"]}, "flight f: 1 flight ticket"),
    ("FlightBookingFailed_v1", {"flight_id": "f", "failure_reason": "no seats"}, "flight f: no seats"),
    ("BookTaxi", {"number_of_passengers": 1}, "1 passenger"),
    ("TaxiBooked_v1", {"taxi_booking_id": "x"}, "taxi x"),
    ("TaxiBookingFailed_v1", {"failure_reason": "no taxi"}, "no taxi"),
    ("CancelFlightTickets", {"flight_ticket_id": ["1", "2"]}, "2 flight tickets"),
    ("CancelTaxi", {"taxi_booking_id": "x"}, "taxi x"),
    ("RefundTicket", {"ticket_id": "t"}, "ticket t"),
    ("TicketPrinted_v1", {"ticket_id": "t", "file_name": "t.html"}, "ticket t: t.html"),
    ("TicketRefunded_v1", {"ticket_id": "t"}, "ticket t"),
    ("VipBundleFinalized_v1", {"success": True}, "all is booked"),
    ("VipBundleFinalized_v1", {"success": False}, "failed"),
]


class TestTell:
    @pytest.mark.parametrize(("name", "payload", "expected"), TOLD)
    def test_says_it_in_a_few_words(self, name: str, payload: dict[str, Any], expected: str) -> None:
        assert tell(name, payload) == expected

    def test_has_words_for_each(self) -> None:
        assert {name for name, _, _ in TOLD} == TYPES
