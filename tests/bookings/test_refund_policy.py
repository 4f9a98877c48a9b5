"""How much comes back, and when."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bookings.refund_policy import percentage, share_of
from tests.factories import NOON

SECOND = timedelta(seconds=1)


class TestPercentage:
    @pytest.mark.parametrize(
        ("notice", "expected"),
        [
            (timedelta(days=30), 100),
            (timedelta(hours=24), 100),
            (timedelta(hours=24) - SECOND, 50),
            (timedelta(hours=6), 50),
            (timedelta(hours=6) - SECOND, 0),
            (timedelta(0), 0),
            (-timedelta(days=1), 0),
        ],
    )
    def test_falls_as_the_start_comes_nearer(self, notice: timedelta, expected: int) -> None:
        assert percentage(start=NOON, at=NOON - notice, as_staff=False) == expected

    @pytest.mark.parametrize("notice", [timedelta(days=30), timedelta(hours=1), -timedelta(days=1)])
    def test_is_all_by_staff_at_any_time(self, notice: timedelta) -> None:
        assert percentage(start=NOON, at=NOON - notice, as_staff=True) == 100


class TestShareOf:
    @pytest.mark.parametrize(
        ("amount", "percent", "expected"),
        [
            ("50.30", 100, "50.30"),
            ("50.30", 50, "25.15"),
            ("50.30", 0, "0.00"),
            ("0.01", 50, "0.01"),
            ("10.05", 50, "5.03"),
            ("0.00", 100, "0.00"),
            ("999999999999.99", 50, "500000000000.00"),
        ],
    )
    def test_is_to_the_cent_in_the_customers_favour(self, amount: str, percent: int, expected: str) -> None:
        share = share_of(Decimal(amount), percent)
        assert str(share) == expected
        assert share <= Decimal(amount)
