"""Calendar files (RFC 5545, sent as RFC 5546 says): a booking as an entry of the customer's calendar."""

from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress

from tickets_project.notifications.models import Notification
from tickets_project.notifications.rendering import one_line

# Each booking is published once and withdrawn once, so the number of its revision follows from the method.
METHODS = {"booking_confirmed": ("PUBLISH", "CONFIRMED", 0), "booking_cancelled": ("CANCEL", "CANCELLED", 1)}


def calendar_file(notification: Notification) -> tuple[str, bytes] | None:
    """Return the method and the file, None for a notification that has none or whose time is not fixed."""
    if notification.template not in METHODS or not notification.context.get("start_time"):
        return None
    method, status, revision = METHODS[notification.template]
    calendar = Calendar()
    calendar.add("prodid", f"-//{_organiser()}//Tickets//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_entry(notification, status=status, revision=revision))
    return method, calendar.to_ical()


def _entry(notification: Notification, *, status: str, revision: int) -> Event:
    facts = notification.context
    entry = Event()
    entry.add("uid", facts["booking_id"])
    entry.add("dtstamp", notification.created_at)
    entry.add("sequence", revision)
    entry.add("status", status)
    entry.add("organizer", _address())
    entry.add("dtstart", datetime.fromisoformat(facts["start_time"]))
    if facts.get("end_time"):
        entry.add("dtend", datetime.fromisoformat(facts["end_time"]))
    entry.add("summary", one_line(facts.get("title") or f"Booking with {_organiser()}"))
    if facts.get("location"):
        entry.add("location", one_line(facts["location"]))
    if facts.get("confirmation_code"):
        entry.add("description", f"Booking {one_line(facts['confirmation_code'])}")
    return entry


def _organiser() -> str:
    return one_line(settings.TICKETS_ORGANISER)


def _address() -> vCalAddress:
    address = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    address.params["CN"] = _organiser().replace('"', "'")
    return address
