"""The words that door staff read."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from bookings.admin.scan_answers import Verdict, answer_of, reason_of
from bookings.models import Booking, Scan, Show, Ticket, TicketType
from tests.factories import NOON

TICKET = Ticket(
    redemption_code="ABCDEFGHJKMNPQRS",
    ticket_type=TicketType(name="standard"),
    booking=Booking(show=Show(title="Carmen"), start_time=NOON + timedelta(hours=8)),
)


def a_scan(outcome: str, ticket: Ticket | None = TICKET, **told: Any) -> Scan:
    """Return a scan at noon in UTC, which was answered with these members."""
    answer = {"detail": "", "extensions": told}
    return Scan(code="abcd efgh", outcome=outcome, ticket=ticket, scanned_at=NOON, answer=answer)


class TestReasonOf:
    @pytest.mark.parametrize(
        ("outcome", "told", "reason"),
        [
            ("unknown_code", {}, "No ticket of ours has the code abcd efgh."),
            ("not_active", {}, "Not activated yet: the holder needs the activation code from the confirmation mail."),
            ("not_yet_valid", {"valid_from": "2026-05-02T17:00:00Z"}, "Too early: valid from 19:00."),
            (
                "not_yet_valid",
                {"valid_from": "2026-05-03T17:00:00Z"},
                "Too early: valid from 19:00 on Sunday 3 May 2026.",
            ),
            ("expired", {"valid_until": "2026-05-01T23:30:00Z"}, "Over: it was valid until 01:30."),
            ("cancelled", {"cancelled_at": "2026-05-02T08:00:00Z"}, "Cancelled at 10:00."),
            ("cancelled", {"cancelled_at": None}, "Cancelled at an unknown time."),
            (
                "already_redeemed",
                {"redeemed_at": "2026-05-02T11:42:00Z", "location": "Gate B", "redeemed_by": "ann"},
                "Already used at 13:42 at Gate B by ann.",
            ),
            (
                "already_redeemed",
                {"redeemed_at": "2026-05-02T11:42:00Z", "location": None, "redeemed_by": None},
                "Already used at 13:42.",
            ),
        ],
    )
    def test_says_it_with_the_clock_at_the_door(
        self, settings: Settings, outcome: str, told: dict[str, Any], reason: str
    ) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        assert reason_of(a_scan(outcome, **told)) == reason


class TestAnswerOf:
    def test_admits_with_what_the_ticket_is_for(self) -> None:
        answer = answer_of(a_scan("redeemed"), scans=1)
        assert (answer.verdict, answer.headline, answer.reason) == (Verdict.ADMIT, "ADMIT", "Carmen")
        assert answer.lines == ["standard ticket, starts 20:00", "ABCDEFGHJKMNPQRS, first scan of this ticket"]

    def test_counts_the_scans(self) -> None:
        assert answer_of(a_scan("redeemed"), scans=3).lines[-1] == "ABCDEFGHJKMNPQRS, scan number 3 of this ticket"

    def test_stops_with_the_reason_and_what_the_ticket_is_for(self) -> None:
        answer = answer_of(a_scan("not_active"), scans=1)
        assert (answer.verdict, answer.headline) == (Verdict.STOP, "STOP")
        assert answer.reason.startswith("Not activated yet")
        assert answer.lines[0] == "Carmen"

    def test_knows_nothing_of_an_unknown_code(self) -> None:
        assert answer_of(a_scan("unknown_code", ticket=None), scans=1).lines == []

    def test_has_no_start_of_a_ticket_whose_booking_nobody_knows(self) -> None:
        unbooked = Ticket(redemption_code="ABCDEFGHJKMNPQRS", ticket_type=TicketType(name="standard"))
        assert answer_of(a_scan("redeemed", ticket=unbooked), scans=1).lines[0] == "standard ticket"

    def test_admits_nobody_by_a_scan_that_is_undone(self) -> None:
        scan = a_scan("redeemed")
        scan.undone_at = NOON
        answer = answer_of(scan, scans=1)
        assert (answer.verdict, answer.reason) == (Verdict.UNDONE, "abcd efgh is valid again.")
