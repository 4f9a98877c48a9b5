"""What is noted of a printed ticket."""

from uuid import UUID

import pytest

from printing.models import PrintedTicket
from printing.queries import is_printed
from printing.services import record_printed
from tests.bookings.published import payload, payloads
from tests.bookings.threads import at_once
from tests.factories import NOON

TICKET, BOOKING = UUID(int=1), str(UUID(int=2))


def record(file_name: str = "a.html") -> None:
    record_printed(ticket_id=TICKET, booking_id=BOOKING, file_name=file_name, at=NOON)


@pytest.mark.django_db
class TestRecordPrinted:
    def test_notes_and_announces_it(self) -> None:
        assert not is_printed(TICKET)
        record()
        assert is_printed(TICKET)
        noted = PrintedTicket.objects.get()
        assert (noted.ticket_id, str(noted), noted.printed_at) == (TICKET, "a.html", NOON)
        assert payload("TicketPrinted_v1") == {
            "ticket_id": str(TICKET),
            "file_name": "a.html",
            "booking_id": BOOKING,
        }

    def test_notes_it_once(self) -> None:
        record()
        record("b.html")
        assert PrintedTicket.objects.get().file_name == "a.html"
        assert len(payloads("TicketPrinted_v1")) == 1


@pytest.mark.django_db(transaction=True)
class TestRecordPrintedConcurrency:
    def test_announces_it_once(self) -> None:
        at_once([record] * 8)
        assert len(payloads("TicketPrinted_v1")) == PrintedTicket.objects.count() == 1
