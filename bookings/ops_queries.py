"""Reads of the ops read model."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from bookings.models import OpsBooking, OpsTicket


def ops_bookings() -> QuerySet[OpsBooking]:
    """Return all bookings that were made, as far as events have told of it."""
    return OpsBooking.objects.filter(booked_at__isnull=False)


def with_receipt_issued_on(bookings: QuerySet[OpsBooking], day: date) -> QuerySet[OpsBooking]:
    """Narrow a list to bookings with a ticket whose receipt was issued on a day of the business.

    A day begins at midnight in the time zone that tickets show.

    :raises OverflowError: if the day is the last of the calendar
    """
    begins, ends = _midnight(day), _midnight(day + timedelta(days=1))
    issued = OpsTicket.objects.filter(receipt_issued_at__gte=begins, receipt_issued_at__lt=ends)
    return bookings.filter(booking_id__in=issued.values("booking_id"))


def ops_tickets_of(bookings: Iterable[OpsBooking]) -> dict[UUID | None, list[OpsTicket]]:
    """Return the tickets by their booking's id, those that were confirmed first at the front; one query for all."""
    tickets: dict[UUID | None, list[OpsTicket]] = {booking.booking_id: [] for booking in bookings}
    for ticket in OpsTicket.objects.filter(booking_id__in=list(tickets)).order_by("confirmed_at", "ticket_id"):
        tickets[ticket.booking_id].append(ticket)
    return tickets


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.TICKETS_TIME_ZONE))
