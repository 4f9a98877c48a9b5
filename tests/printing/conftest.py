"""A ticket whose document is to be printed, and its message."""

import pytest

from bookings.events import TicketBookingConfirmedV1
from bookings.models import Ticket
from tests.factories import confirmed_booking, only_ticket


@pytest.fixture
def ticket(db: None) -> Ticket:  # noqa: ARG001 - opens the database
    return only_ticket(confirmed_booking(seats=1))


@pytest.fixture
def confirmed(ticket: Ticket) -> TicketBookingConfirmedV1:
    return TicketBookingConfirmedV1(
        ticket_id=str(ticket.id),
        customer_email=ticket.customer_email,
        price=ticket.price,
        booking_id=str(ticket.booking_id),
    )
