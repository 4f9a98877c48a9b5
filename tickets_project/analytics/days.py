"""Which day a moment belongs to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def day_of(at: datetime) -> date:
    """Return the day of the business, which begins at midnight in the time zone that tickets show."""
    return at.astimezone(ZoneInfo(settings.TICKETS_TIME_ZONE)).date()
