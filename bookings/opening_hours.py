"""When a resource is open, and what of that is still free."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from bookings.models import Booking, OpeningHours, Resource
from bookings.models.bookings import BookingStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time from its start to its end, which is no part of it; both aware."""

    start_time: datetime
    end_time: datetime


def is_open(resource: Resource, start_time: datetime, end_time: datetime) -> bool:
    """Tell whether the resource is open all that time; nights between two days that touch count as open."""
    first, last = (at.astimezone(_zone()).date() for at in (start_time, end_time))
    days = (first + timedelta(days=day) for day in range((last - first).days + 1))
    hours = list(resource.opening_hours.all())
    spans = _joined(span for day in days for span in _open_on(hours, day))
    return any(span.start_time <= start_time and end_time <= span.end_time for span in spans)


def free_slots(resource: Resource, day: date) -> list[Span]:
    """Return the times of that day, in TICKETS_TIME_ZONE, when the resource is open and not booked."""
    spans = _open_on(resource.opening_hours.all(), day)
    if not spans:
        return []
    booked = Booking.objects.filter(
        resource=resource,
        status__in=[BookingStatus.PENDING, BookingStatus.CONFIRMED],
        start_time__lt=spans[-1].end_time,
        end_time__gt=spans[0].start_time,
    ).order_by("start_time")
    taken = [(booking.start_time, booking.over_at) for booking in booked]
    return [free for span in _joined(spans) for free in _without(span, taken)]


def _open_on(hours: Iterable[OpeningHours], day: date) -> list[Span]:
    return [_span(entry, day) for entry in hours if entry.weekday == day.weekday()]


def _span(entry: OpeningHours, day: date) -> Span:
    closes_on = day + timedelta(days=1) if entry.closes == time() else day
    return Span(start_time=_at(day, entry.opens), end_time=_at(closes_on, entry.closes))


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=_zone())


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_time):
        if joined and span.start_time <= joined[-1].end_time:
            joined[-1] = Span(start_time=joined[-1].start_time, end_time=max(joined[-1].end_time, span.end_time))
        else:
            joined.append(span)
    return joined


def _without(span: Span, taken: list[tuple[datetime, datetime]]) -> list[Span]:
    free, start = [], span.start_time
    for begins, ends in taken:
        if start < min(begins, span.end_time):
            free.append(Span(start_time=start, end_time=min(begins, span.end_time)))
        start = max(start, ends)
    if start < span.end_time:
        free.append(Span(start_time=start, end_time=span.end_time))
    return free


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TICKETS_TIME_ZONE)
