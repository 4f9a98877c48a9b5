"""Bookings in the admin: shows are put up here; bookings and tickets are read, and a booking may be confirmed."""

from bookings.admin.bookings import BookingAdmin
from bookings.admin.shows import ShowAdmin, TicketTypeAdmin
from bookings.admin.tickets import TicketAdmin

__all__ = ["BookingAdmin", "ShowAdmin", "TicketAdmin", "TicketTypeAdmin"]
