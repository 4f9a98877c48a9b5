"""Days of the business."""

from datetime import date, datetime

import pytest
from pytest_django import Settings

from tickets_project.analytics.days import day_of


class TestDayOf:
    @pytest.mark.parametrize(
        ("zone", "at", "day"),
        [
            ("UTC", "2026-07-01T23:59:59Z", date(2026, 7, 1)),
            ("UTC", "2026-07-02T00:00:00Z", date(2026, 7, 2)),
            ("Europe/Madrid", "2026-07-01T21:59:59Z", date(2026, 7, 1)),
            ("Europe/Madrid", "2026-07-01T23:30:00Z", date(2026, 7, 2)),
            ("Europe/Madrid", "2026-01-01T22:59:59Z", date(2026, 1, 1)),
            ("Europe/Madrid", "2026-01-01T23:00:00Z", date(2026, 1, 2)),
            ("America/New_York", "2026-07-02T03:30:00Z", date(2026, 7, 1)),
            ("America/New_York", "2026-07-02T01:30:00-04:00", date(2026, 7, 2)),
        ],
    )
    def test_begins_at_midnight_of_the_business(self, settings: Settings, zone: str, at: str, day: date) -> None:
        settings.TICKETS_TIME_ZONE = zone
        assert day_of(datetime.fromisoformat(at)) == day
