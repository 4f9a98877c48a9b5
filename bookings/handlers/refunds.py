"""Refunds: the receipt is voided, then the payment is refunded."""

from bookings.commands import RefundTicket
from tickets_project.outbox.subscriptions import Recording


def refund_ticket(message: RefundTicket) -> Recording | None:
    """Do it."""
    raise NotImplementedError
