"""When resources are open and what of that is free: spans of a day, midnight, nights, clocks put on and back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from bookings.models import Resource
from bookings.opening_hours import Span, free_slots, is_booked, is_open
from bookings.services import cancel_booking, complete_booking, confirm_booking, mark_no_show
from bookings.services.resources import Hours
from tests.bookings.rooms import ALWAYS, SATURDAY, SUNDAY, after, book, room
from tests.factories import NOON, staff_act

pytestmark = pytest.mark.django_db

DAY = NOON.date()
MADRID = ZoneInfo("Europe/Madrid")
# Sundays: at two o'clock the clock is put on to three, and at three o'clock back to two.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
LONG_AGO = NOON - timedelta(days=365)


def clock(text: str) -> time:
    return time.fromisoformat(text)


def hours(*spans: str, weekday: int = SATURDAY) -> list[Hours]:
    """Return opening hours from texts such as 09:00-18:00."""
    return [(weekday, clock(opens), clock(closes)) for opens, closes in (span.split("-") for span in spans)]


def free(resource: Resource, day: date = DAY, at: datetime = LONG_AGO) -> list[str]:
    """Return the free times in UTC as such texts."""
    return [f"{slot.start_time:%H:%M}-{slot.end_time:%H:%M}" for slot in free_slots(resource, day, at=at)]


def utc(day: date, text: str) -> datetime:
    return datetime.combine(day, clock(text), tzinfo=UTC)


class TestIsOpen:
    @pytest.mark.parametrize(
        ("opens", "start", "end", "expected"),
        [
            (["09:00-18:00"], -3, 6, True),
            (["09:00-18:00"], -3.01, 6, False),
            (["09:00-18:00"], -3, 6.01, False),
            (["09:00-12:00", "14:00-18:00"], -3, 0, True),
            (["09:00-12:00", "14:00-18:00"], 2, 6, True),
            (["09:00-12:00", "14:00-18:00"], -1, 3, False),
            (["09:00-12:00", "14:00-18:00"], 0, 1, False),
            (["09:00-12:00", "12:00-18:00"], -3, 6, True),
            (["09:00-14:00", "12:00-18:00"], -3, 6, True),
            (["09:00-18:00", "10:00-11:00"], -3, 6, True),
            (["18:00-00:00"], 6, 12, True),
            (["18:00-00:00"], 6, 12.01, False),
            (["00:00-00:00"], -12, 12, True),
            (["00:00-00:00"], -12.01, 1, False),
            ([], 0, 1, False),
        ],
    )
    def test_knows_each_span_of_a_day(self, opens: Sequence[str], start: float, end: float, expected: bool) -> None:  # noqa: FBT001 - a table's cell
        assert is_open(room(hours=hours(*opens)), after(start), after(end)) is expected

    def test_joins_the_night_between_two_days(self) -> None:
        resource = room(hours=[*hours("18:00-00:00"), *hours("00:00-04:00", weekday=SUNDAY)])
        assert is_open(resource, after(6), after(16))
        assert is_open(resource, after(11), after(13))
        assert not is_open(resource, after(6), after(16.01))

    def test_breaks_at_a_night_that_is_closed(self) -> None:
        resource = room(hours=[*hours("18:00-23:59"), *hours("00:00-04:00", weekday=SUNDAY)])
        assert not is_open(resource, after(11), after(13))

    def test_is_open_for_days_on_end(self) -> None:
        assert is_open(room(hours=ALWAYS), after(0), after(31 * 24))
        assert not is_open(room(hours=ALWAYS[:-1]), after(0), after(31 * 24))

    def test_reads_the_clock_where_the_house_is(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "America/Los_Angeles"
        # Friday evening there is Saturday in UTC, and Saturday evening there is Sunday.
        resource = room(hours=hours("00:00-00:00"))
        assert not is_open(resource, utc(DAY, "06:00"), utc(DAY, "07:00"))
        assert is_open(resource, utc(DAY, "07:00"), utc(DAY + timedelta(days=1), "07:00"))

    def test_follows_the_clock_that_is_put_on(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = MADRID.key
        resource = room(hours=hours("01:00-04:00", weekday=SUNDAY))
        assert is_open(resource, utc(SPRING, "00:00"), utc(SPRING, "02:00"))
        assert not is_open(resource, utc(SPRING, "00:00"), utc(SPRING, "02:01"))

    def test_follows_the_clock_that_is_put_back(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = MADRID.key
        resource = room(hours=hours("01:00-04:00", weekday=SUNDAY))
        before = AUTUMN - timedelta(days=1)
        assert is_open(resource, utc(before, "23:00"), utc(AUTUMN, "03:00"))
        assert not is_open(resource, utc(before, "23:00"), utc(AUTUMN, "03:01"))

    @pytest.mark.parametrize("year", [1, 9999])
    def test_is_closed_at_the_ends_of_time(self, year: int) -> None:
        day = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=UTC)
        assert not is_open(room(), day, day.replace(hour=23))


class TestFreeSlots:
    @pytest.mark.parametrize(
        ("opens", "expected"),
        [
            (["09:00-18:00"], ["09:00-18:00"]),
            (["14:00-18:00", "09:00-12:00"], ["09:00-12:00", "14:00-18:00"]),
            (["09:00-12:00", "12:00-18:00"], ["09:00-18:00"]),
            (["09:00-18:00", "10:00-12:00"], ["09:00-18:00"]),
            (["18:00-00:00"], ["18:00-00:00"]),
            (["00:00-00:00"], ["00:00-00:00"]),
            ([], []),
        ],
    )
    def test_knows_each_span_of_a_day(self, opens: Sequence[str], expected: list[str]) -> None:
        assert free(room(hours=hours(*opens))) == expected

    @pytest.mark.parametrize(
        ("booked", "expected"),
        [
            ([(-3, 6)], []),
            ([(-3, -2)], ["10:00-18:00"]),
            ([(5, 6)], ["09:00-17:00"]),
            ([(0, 1)], ["09:00-12:00", "13:00-18:00"]),
            ([(0, 1), (1, 2)], ["09:00-12:00", "14:00-18:00"]),
            ([(4, 5), (-2, -1)], ["09:00-10:00", "11:00-16:00", "17:00-18:00"]),
        ],
    )
    def test_leaves_out_what_is_booked(self, booked: list[tuple[float, float]], expected: list[str]) -> None:
        resource = room(hours=hours("09:00-18:00"))
        for start, end in booked:
            book(resource, start, end, at=LONG_AGO)
        assert free(resource) == expected

    def test_leaves_out_what_is_booked_in_the_longer_of_two_overlapping_spans(self) -> None:
        resource = room(hours=hours("09:00-18:00", "10:00-11:00"))
        book(resource, 3, 4)
        assert free(resource) == ["09:00-15:00", "16:00-18:00"]

    def test_leaves_out_what_spans_two_days(self) -> None:
        resource = room(hours=ALWAYS)
        book(resource, 10, 14)
        assert free(resource) == ["00:00-22:00"]
        assert free(resource, DAY + timedelta(days=1)) == ["02:00-00:00"]

    def test_leaves_out_a_booking_between_two_spans_that_covers_both(self) -> None:
        resource = room(hours=hours("09:00-18:00"))
        book(resource, -2, 4, at=LONG_AGO)
        resource.opening_hours.all().delete()
        for opens, closes in ((9, 11), (15, 18)):
            resource.opening_hours.create(weekday=SATURDAY, opens=time(opens), closes=time(closes))
        assert free(resource) == ["09:00-10:00", "16:00-18:00"]

    def test_offers_what_is_cancelled_or_over_again(self) -> None:
        resource = room(hours=hours("09:00-18:00"))
        booking = book(resource, 0, 1)
        assert free(resource) != ["09:00-18:00"]
        cancel_booking(booking_id=booking.id, act=staff_act())
        assert free(resource) == ["09:00-18:00"]
        for end in (complete_booking, mark_no_show):
            again = confirm_booking(booking_id=book(resource, 0, 1).id, act=staff_act(), payment_id=None)
            assert free(resource) != ["09:00-18:00"]
            end(booking_id=again.id, act=staff_act())
        assert free(resource) == ["09:00-18:00"]

    def test_knows_its_own_bookings_alone(self) -> None:
        resource = room(hours=hours("09:00-18:00"))
        book(room(), 0, 1)
        assert free(resource) == ["09:00-18:00"]

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (utc(DAY, "08:59"), ["09:00-12:00", "14:00-18:00"]),
            (utc(DAY, "09:00"), ["09:01-12:00", "14:00-18:00"]),
            (utc(DAY, "10:30") + timedelta(seconds=59.9), ["10:31-12:00", "14:00-18:00"]),
            (utc(DAY, "11:59"), ["14:00-18:00"]),
            (utc(DAY, "13:00"), ["14:00-18:00"]),
            (utc(DAY, "18:00"), []),
            (utc(DAY, "23:59"), []),
            (NOON + timedelta(days=9), []),
        ],
    )
    def test_offers_nothing_that_has_begun(self, at: datetime, expected: list[str]) -> None:
        assert free(room(hours=hours("09:00-12:00", "14:00-18:00")), at=at) == expected

    def test_begins_after_a_booking_that_is_under_way(self) -> None:
        resource = room(hours=hours("09:00-18:00"))
        book(resource, 0, 2)
        assert free(resource, at=utc(DAY, "13:00")) == ["14:00-18:00"]
        assert free(resource, at=utc(DAY, "14:30")) == ["14:31-18:00"]

    @pytest.mark.parametrize(
        ("day", "opens", "expected"),
        [
            (SPRING, ["00:00-00:00"], ["23:00-22:00"]),
            (SPRING, ["01:00-04:00"], ["00:00-02:00"]),
            (SPRING, ["02:15-02:45"], ["01:15-01:45"]),
            (SPRING, ["02:30-03:15"], []),
            (SPRING, ["02:15-02:45", "03:00-04:00"], ["01:00-02:00"]),
            (AUTUMN, ["00:00-00:00"], ["22:00-23:00"]),
            (AUTUMN, ["01:00-04:00"], ["23:00-03:00"]),
            (AUTUMN, ["02:00-03:00"], ["00:00-02:00"]),
            (AUTUMN, ["03:00-04:00"], ["02:00-03:00"]),
        ],
    )
    def test_follows_clocks_put_on_and_back(
        self, settings: Settings, day: date, opens: Sequence[str], expected: list[str]
    ) -> None:
        settings.TICKETS_TIME_ZONE = MADRID.key
        assert free(room(hours=hours(*opens, weekday=SUNDAY)), day, at=LONG_AGO) == expected

    def test_offers_both_of_the_hours_that_come_twice(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = MADRID.key
        resource = room(hours=hours("01:00-04:00", weekday=SUNDAY))
        twice = (utc(AUTUMN, "01:00") - NOON).total_seconds() / 3600
        book(resource, twice, twice + 1)
        assert free(resource, AUTUMN) == ["23:00-01:00", "02:00-03:00"]

    def test_adds_up_to_the_length_of_the_day(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = MADRID.key
        resource = room(hours=ALWAYS)
        lengths = [sum(((s.end_time - s.start_time) for s in slots), timedelta()) for slots in _days(resource)]
        assert [length.total_seconds() / 3600 for length in lengths] == [24, 23, 24, 24, 25, 24]


class TestIsBooked:
    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [(0, 1, False), (0, 1.01, True), (1, 3, True), (1.5, 2, True), (0, 9, True), (2.99, 9, True), (3, 9, False)],
    )
    def test_tells_whether_any_part_is(self, start: float, end: float, expected: bool) -> None:  # noqa: FBT001 - a table's cell
        resource = room()
        book(resource, 1, 3)
        assert is_booked(resource, after(start), after(end)) is expected


def _days(resource: Resource) -> list[list[Span]]:
    days = [day + timedelta(days=number) for day in (SPRING, AUTUMN) for number in (-1, 0, 1)]
    return [free_slots(resource, day, at=LONG_AGO) for day in days]
