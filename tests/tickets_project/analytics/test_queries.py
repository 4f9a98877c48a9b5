"""The numbers of days."""

from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.tickets_project.analytics.counted import DAY, counted, money
from tickets_project.analytics.models import Kind
from tickets_project.analytics.queries import totals_of

pytestmark = pytest.mark.django_db


def day(*, ago: int) -> date:
    return DAY - timedelta(days=ago)


class TestTotalsOf:
    def test_has_every_day_newest_first(self) -> None:
        assert [totals.day for totals in totals_of(3, until=DAY)] == [DAY, day(ago=1), day(ago=2)]

    def test_goes_back_over_the_end_of_a_year(self) -> None:
        assert totals_of(2, until=date(2026, 1, 1))[-1].day == date(2025, 12, 31)

    def test_is_zero_where_nothing_happened(self) -> None:
        [totals] = totals_of(1, until=DAY)
        assert [totals.counts[kind] for kind in Kind] == [0] * len(Kind)
        assert totals.amounts == {}

    def test_takes_both_ends_and_nothing_beyond(self) -> None:
        for ago in (-1, 0, 1, 2):
            counted(Kind.BOOKED, on=day(ago=ago), times=ago + 2)
        assert [totals.counts[Kind.BOOKED] for totals in totals_of(2, until=DAY)] == [2, 3]

    def test_adds_up_the_counts_of_all_currencies(self) -> None:
        for worth in (None, money("1.00"), money("1.00", "CHF")):
            counted(Kind.REFUNDED, worth=worth)
        [totals] = totals_of(1, until=DAY)
        assert totals.counts[Kind.REFUNDED] == 3

    def test_keeps_amounts_apart_by_kind_and_currency_largest_first(self) -> None:
        for kind, worth in [
            (Kind.REVENUE, money("80.00", "CHF")),
            (Kind.REVENUE, money("1250.00")),
            (Kind.REVENUE, money("80.00", "AUD")),
            (Kind.REFUNDED, money("5.00")),
        ]:
            counted(kind, worth=worth)
        [totals] = totals_of(1, until=DAY)
        assert totals.amounts[Kind.REVENUE] == [money("1250.00"), money("80.00", "AUD"), money("80.00", "CHF")]
        assert totals.amounts[Kind.REFUNDED] == [money("5.00")]

    def test_asks_once(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for ago in range(7):
            counted(Kind.BOOKED, on=day(ago=ago))
        with django_assert_num_queries(1):
            totals_of(7, until=DAY)
