"""Receipts: each ticket of a confirmed booking gets one."""

from bookings.events import TicketBookingConfirmedV1
from tickets_project.outbox.subscriptions import Recording


def issue_receipt(message: TicketBookingConfirmedV1) -> Recording | None:
    """Do it."""
    raise NotImplementedError
