"""Writes: one function per use case, each in one transaction with its audit rows and the messages that tell of it.

Here is what people, the clock and the vendor ask for; what handlers note stays in receipts, refunding, tracking and
read_model.
"""

from bookings.services.activating import activate_ticket
from bookings.services.booking import book_resource, make_booking
from bookings.services.cancelling import cancel_booking, refund_preview
from bookings.services.confirming import confirm_booking
from bookings.services.finishing import complete_booking, mark_no_show
from bookings.services.redeeming import scan, undo_scan
from bookings.services.refunding import mark_paid, request_refund
from bookings.services.releasing import release_booking
from bookings.services.reminding import remind
from bookings.services.resources import change_resource, make_resource
from bookings.services.show_tickets import book_show_tickets
from bookings.services.shows import STANDARD, change_show, make_show
from bookings.services.ticketing import expire_ticket, record_printed
from bookings.services.vendor import record_vendor_tickets

__all__ = [
    "STANDARD",
    "activate_ticket",
    "book_resource",
    "book_show_tickets",
    "cancel_booking",
    "change_resource",
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
    "record_vendor_tickets",
    "refund_preview",
    "release_booking",
    "remind",
    "request_refund",
    "scan",
    "undo_scan",
]
