"""The tracker sheets: a row for each ticket to print, and for each to refund."""

from bookings.events import TicketBookingCanceledV1, TicketBookingConfirmedV1
from tickets_project.outbox.subscriptions import Recording


def track_to_print(message: TicketBookingConfirmedV1) -> Recording | None:
    """Do it."""
    raise NotImplementedError


def track_to_refund(message: TicketBookingCanceledV1) -> Recording | None:
    """Do it."""
    raise NotImplementedError
