"""The tables of bookings, with the rules that the database keeps and the transitions that are declared."""

from bookings.models.bookings import Booking, BookingStatus
from bookings.models.money import Receipt, Refund, RefundState, TrackerRow
from bookings.models.read_model import OpsBooking, OpsTicket
from bookings.models.resources import OpeningHours, Resource
from bookings.models.scans import Scan, ScanOutcome
from bookings.models.shows import Show
from bookings.models.ticket_types import Activation, TicketType
from bookings.models.tickets import Ticket, TicketStatus

__all__ = [
    "Activation",
    "Booking",
    "BookingStatus",
    "OpeningHours",
    "OpsBooking",
    "OpsTicket",
    "Receipt",
    "Refund",
    "RefundState",
    "Resource",
    "Scan",
    "ScanOutcome",
    "Show",
    "Ticket",
    "TicketStatus",
    "TicketType",
    "TrackerRow",
]
