"""When a resource is open, and what of that is still free."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from bookings.models import Booking, OpeningHours, Resource
from bookings.models.bookings import STANDING

# The days at the ends of the calendar have none before or after them, or no time in UTC.
_FIRST_DAY, _LAST_DAY = date.min + timedelta(days=2), date.max - timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time from its start to its end, which is no part of it; both in UTC."""

    start_time: datetime
    end_time: datetime


def is_open(resource: Resource, start_time: datetime, end_time: datetime) -> bool:
    """Tell whether the resource is open all that time; nights between two days that touch count as open."""
    hours = list(resource.opening_hours.all())
    spans = _joined(span for day in _days(start_time, end_time) for span in _open_on(hours, day))
    return any(span.start_time <= start_time and end_time <= span.end_time for span in spans)


def is_booked(resource: Resource, start_time: datetime, end_time: datetime) -> bool:
    """Tell whether somebody has the resource for a part of that time."""
    return _bookings_of(resource, Span(start_time=start_time, end_time=end_time)).exists()


def free_slots(resource: Resource, day: date, *, at: datetime) -> list[Span]:
    """Return the times of that day, in TICKETS_TIME_ZONE, that can still be booked: open, not booked, not begun."""
    spans = _joined(_open_on(resource.opening_hours.all(), day))
    if not spans:
        return []
    whole = Span(start_time=spans[0].start_time, end_time=spans[-1].end_time)
    begun = Span(start_time=whole.start_time, end_time=_next_minute(at))
    taken = [begun, *(_span_of(booking) for booking in _bookings_of(resource, whole))]
    return [free for span in spans for free in _without(span, taken)]


def _bookings_of(resource: Resource, span: Span) -> QuerySet[Booking]:
    return Booking.objects.filter(
        resource=resource,
        status__in=STANDING,
        start_time__lt=span.end_time,
        end_time__gt=span.start_time,
    ).order_by("start_time")


def _span_of(booking: Booking) -> Span:
    return Span(start_time=booking.start_time, end_time=booking.over_at)


def _days(start_time: datetime, end_time: datetime) -> Iterable[date]:
    """Return the days, wherever the house is, that the time may touch."""
    first = max(start_time.astimezone(UTC).date(), _FIRST_DAY) - timedelta(days=1)
    last = min(end_time.astimezone(UTC).date(), _LAST_DAY) + timedelta(days=1)
    return (first + timedelta(days=day) for day in range((last - first).days + 1))


def _open_on(hours: Iterable[OpeningHours], day: date) -> list[Span]:
    if not _FIRST_DAY <= day <= _LAST_DAY:
        return []
    spans = [_span(entry, day) for entry in hours if entry.weekday == day.weekday()]
    # Where the clock is put forward, one that opens in the hour left out can close before it opens.
    return [span for span in spans if span.start_time < span.end_time]


def _span(entry: OpeningHours, day: date) -> Span:
    closes_on = day + timedelta(days=1) if entry.closes == time() else day
    return Span(start_time=_at(day, entry.opens), end_time=_at(closes_on, entry.closes))


def _at(day: date, clock: time) -> datetime:
    # In UTC at once: Python compares two times of one zone by what the clock shows, which comes twice in autumn.
    return datetime.combine(day, clock, tzinfo=ZoneInfo(settings.TICKETS_TIME_ZONE)).astimezone(UTC)


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_time):
        if joined and span.start_time <= joined[-1].end_time:
            joined[-1] = Span(start_time=joined[-1].start_time, end_time=max(joined[-1].end_time, span.end_time))
        else:
            joined.append(span)
    return joined


def _without(span: Span, taken: list[Span]) -> list[Span]:
    """Return what is left of a span; what is taken comes in the order of its starts."""
    free, start = [], span.start_time
    for each in taken:
        if start < min(each.start_time, span.end_time):
            free.append(Span(start_time=start, end_time=min(each.start_time, span.end_time)))
        start = max(start, each.end_time)
    if start < span.end_time:
        free.append(Span(start_time=start, end_time=span.end_time))
    return free


def _next_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)
