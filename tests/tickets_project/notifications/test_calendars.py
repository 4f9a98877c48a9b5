"""Calendar files, read back."""

from typing import Any

import pytest
from icalendar import Calendar

from tests.tickets_project.notifications.made import AT, BOOKING, ENDS, FACTS, STARTS, unsaved
from tickets_project.notifications.calendars import calendar_file

NASTY = "Carmen\r\nATTENDEE:mailto:eve@evil.example\nEND:VEVENT; a, b\\c"


def entry_of(template: str, **facts: Any) -> Any:
    """Return the one entry of the file."""
    file = calendar_file(unsaved(template, **facts))
    assert file
    [entry] = Calendar.from_ical(file[1]).walk("VEVENT")
    return entry


class TestCalendarFile:
    def test_puts_a_confirmed_booking_into_the_calendar(self) -> None:
        file = calendar_file(unsaved("booking_confirmed"))
        assert file
        assert file[0] == "PUBLISH"
        calendar = Calendar.from_ical(file[1])
        assert (calendar["METHOD"], calendar["VERSION"]) == ("PUBLISH", "2.0")
        [entry] = calendar.walk("VEVENT")
        assert (entry["UID"], entry["SUMMARY"], entry["LOCATION"]) == (BOOKING, "Carmen", "Teatro Real, Madrid")
        assert (entry.decoded("DTSTART"), entry.decoded("DTEND"), entry.decoded("DTSTAMP")) == (STARTS, ENDS, AT)
        assert (entry["STATUS"], entry["SEQUENCE"]) == ("CONFIRMED", 0)
        assert (entry["ORGANIZER"], entry["ORGANIZER"].params["CN"]) == (
            "mailto:tickets@tickets.example",
            "Example Tickets",
        )
        assert "KMNPQRSTVW" in str(entry["DESCRIPTION"])

    def test_says_times_in_utc_and_ends_lines_as_the_standard_says(self) -> None:
        file = calendar_file(unsaved("booking_confirmed"))
        assert file
        assert b"DTSTART:20260502T180000Z\r\n" in file[1]
        assert b"DTEND:20260502T210000Z\r\n" in file[1]
        assert b"\n" not in file[1].replace(b"\r\n", b"")

    def test_withdraws_a_cancelled_booking(self) -> None:
        file = calendar_file(unsaved("booking_cancelled"))
        assert file
        assert file[0] == "CANCEL"
        calendar = Calendar.from_ical(file[1])
        assert calendar["METHOD"] == "CANCEL"
        [entry] = calendar.walk("VEVENT")
        assert (entry["UID"], entry["STATUS"], entry["SEQUENCE"]) == (BOOKING, "CANCELLED", 1)
        assert entry["ORGANIZER"] == entry_of("booking_confirmed")["ORGANIZER"]

    @pytest.mark.parametrize("template", ["booking_confirmed", "booking_cancelled"])
    def test_is_none_when_the_time_is_not_fixed(self, template: str) -> None:
        assert calendar_file(unsaved(template, start_time=None)) is None

    @pytest.mark.parametrize("template", sorted(FACTS.keys() - {"booking_confirmed", "booking_cancelled"}))
    def test_is_none_for_other_notifications(self, template: str) -> None:
        assert calendar_file(unsaved(template)) is None

    def test_leaves_out_what_is_not_known(self) -> None:
        nothing = {"end_time": None, "location": None, "title": None, "confirmation_code": None}
        entry = entry_of("booking_cancelled", **nothing)
        assert not {"DTEND", "LOCATION", "DESCRIPTION"} & entry.keys()
        assert entry["SUMMARY"] == "Booking with Example Tickets"

    @pytest.mark.parametrize("name", ["title", "location", "confirmation_code"])
    def test_lets_no_text_become_a_line_of_its_own(self, name: str) -> None:
        entry = entry_of("booking_confirmed", **{name: NASTY})
        assert "ATTENDEE" not in entry
        shown = {"title": "SUMMARY", "location": "LOCATION", "confirmation_code": "DESCRIPTION"}[name]
        # Escaped in the file, and read back as it was said.
        assert "Carmen ATTENDEE:mailto:eve@evil.example END:VEVENT; a, b\\c" in str(entry[shown])
