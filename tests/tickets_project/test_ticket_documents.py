"""What is told of a ticket to be printed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from pytest_django import Settings

from bookings.models import Ticket
from printing.documents import TicketDocument
from tests.factories import NOON, ShowFactory, confirmed_booking, only_ticket, pending_booking
from tickets_project.ticket_documents import find_ticket_document

pytestmark = pytest.mark.django_db


class TestFindTicketDocument:
    def test_gathers_what_is_printed(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        settings.TICKETS_ORGANISER = "Opera"
        settings.TICKETS_CONTACT = "+34 1"
        start = NOON + timedelta(days=36500)
        booking = confirmed_booking(show=ShowFactory.create(start_time=start), seats=1)
        ticket = only_ticket(booking)
        assert find_ticket_document(ticket.id) == TicketDocument(
            ticket_id=str(ticket.id),
            title="Carmen",
            venue="Teatro Real, Madrid",
            starts_at=start,
            time_zone="Europe/Madrid",
            holder=booking.customer_email,
            ticket_type="standard",
            price=ticket.price,
            code=ticket.redemption_code,
            confirmation_code=booking.confirmation_code or "",
            organiser="Opera",
            contact="+34 1",
        )

    def test_needs_no_confirmation_code(self) -> None:
        ticket = Ticket.of(pending_booking(), created_at=NOON)
        ticket.save()
        found = find_ticket_document(ticket.id)
        assert found is not None
        assert found.confirmation_code == ""

    def test_is_none_for_an_unknown_ticket(self) -> None:
        assert find_ticket_document(uuid4()) is None
