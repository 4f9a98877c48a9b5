"""Times as people read them."""

from datetime import UTC, datetime

import pytest

from tickets_project.local_times import local_time


class TestLocalTime:
    @pytest.mark.parametrize(
        ("at", "time_zone", "text"),
        [
            (
                datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
                "Europe/Madrid",
                "Sunday 29 March 2026, 01:59 (Europe/Madrid, UTC+01:00)",
            ),
            (
                datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
                "Europe/Madrid",
                "Sunday 29 March 2026, 03:00 (Europe/Madrid, UTC+02:00)",
            ),
            (
                datetime(2026, 5, 2, 20, 0, tzinfo=UTC),
                "Asia/Kolkata",
                "Sunday 3 May 2026, 01:30 (Asia/Kolkata, UTC+05:30)",
            ),
            (
                datetime(2026, 5, 2, 2, 0, tzinfo=UTC),
                "America/St_Johns",
                "Friday 1 May 2026, 23:30 (America/St_Johns, UTC-02:30)",
            ),
            (datetime(2026, 5, 2, 20, 0, tzinfo=UTC), "UTC", "Saturday 2 May 2026, 20:00 (UTC)"),
        ],
    )
    def test_is_the_clock_and_the_day_of_the_place(self, at: datetime, time_zone: str, text: str) -> None:
        assert local_time(at, time_zone) == text
