"""Writes: one function per use case, each in one transaction with its audit rows and the messages that tell of it."""

from bookings.services.activating import activate_ticket
from bookings.services.booking import book_resource, make_booking
from bookings.services.cancelling import cancel_booking, refund_preview
from bookings.services.confirming import confirm_booking
from bookings.services.finishing import complete_booking, mark_no_show
from bookings.services.redeeming import scan, undo_scan
from bookings.services.refunding import mark_paid, request_refund
from bookings.services.resources import make_resource
from bookings.services.shows import STANDARD, change_show, make_show
from bookings.services.ticketing import expire_ticket, record_printed

__all__ = [
    "STANDARD",
    "activate_ticket",
    "book_resource",
    "cancel_booking",
    "change_show",
    "complete_booking",
    "confirm_booking",
    "expire_ticket",
    "make_booking",
    "make_resource",
    "make_show",
    "mark_no_show",
    "mark_paid",
    "record_printed",
    "refund_preview",
    "request_refund",
    "scan",
    "undo_scan",
]
