"""What bookings do when a ticket was printed."""

import pytest

from bookings.handlers.printed import record_printed
from printing.events import TicketPrintedV1
from tests.factories import NOON, confirmed_booking, only_ticket
from tickets_project.outbox.messages import Header


@pytest.mark.django_db
class TestRecordPrinted:
    def test_notes_the_time_of_publishing(self) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        header = Header(id="m1", published_at=NOON, idempotency_key="m1", correlation_id="c1")
        message = TicketPrintedV1(
            ticket_id=str(ticket.id), file_name="a.html", booking_id=str(ticket.booking_id), header=header
        )
        for _ in range(2):
            record_printed(message)
        ticket.refresh_from_db()
        assert (ticket.printed_at, ticket.file_name) == (NOON, "a.html")
