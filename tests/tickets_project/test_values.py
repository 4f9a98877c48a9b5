"""Money."""

from decimal import Decimal

import pytest

from tickets_project.values import Money


class TestMoney:
    @pytest.mark.parametrize(("amount", "text"), [("50.3", "50.30 EUR"), ("0", "0.00 EUR"), ("1E+3", "1000.00 EUR")])
    def test_is_written_with_two_decimals(self, amount: str, text: str) -> None:
        assert str(Money(amount=Decimal(amount), currency="EUR")) == text

    def test_is_multiplied_without_rounding(self) -> None:
        assert Money(amount=Decimal("0.10"), currency="EUR").times(3) == Money(amount=Decimal("0.30"), currency="EUR")
        assert Money(amount=Decimal("99.99"), currency="EUR").times(0).amount == 0

    def test_of_another_currency_is_another(self) -> None:
        assert Money(amount=Decimal(1), currency="EUR") != Money(amount=Decimal(1), currency="CHF")
