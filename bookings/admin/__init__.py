"""Bookings in the admin: what there is to read of them, and what staff may ask."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.money import ReceiptAdmin, RefundAdmin, TrackerRowAdmin
from bookings.admin.read_model import OpsBookingAdmin
from bookings.admin.resources import ResourceAdmin
from bookings.admin.scans import ScanAdmin
from bookings.admin.shows import ShowAdmin, TicketTypeAdmin
from bookings.admin.tickets import TicketAdmin

__all__ = [
    "BookingAdmin",
    "OpsBookingAdmin",
    "ReceiptAdmin",
    "RefundAdmin",
    "ResourceAdmin",
    "ScanAdmin",
    "ShowAdmin",
    "TicketAdmin",
    "TicketTypeAdmin",
    "TrackerRowAdmin",
]
