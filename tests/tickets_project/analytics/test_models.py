"""What the database keeps of the totals."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError

from tests.tickets_project.analytics.counted import DAY
from tickets_project.analytics.models import CountedMessage, DailyTotal

pytestmark = pytest.mark.django_db


def total(**facts: Any) -> DailyTotal:
    defaults = {"day": DAY, "kind": "revenue", "currency": "EUR", "count": 1, "amount": Decimal("10.00")}
    return DailyTotal.objects.create(**defaults | facts)


class TestDailyTotal:
    def test_is_one_row_for_a_day_kind_and_currency(self) -> None:
        total()
        with pytest.raises(IntegrityError, match="analytics_dailytotal_once"):
            total()

    def test_has_no_amount_without_a_currency(self) -> None:
        with pytest.raises(IntegrityError, match="analytics_dailytotal_amount_has_currency"):
            total(currency="")

    def test_counts_from_zero(self) -> None:
        with pytest.raises(IntegrityError, match="count_check"):
            total(count=-1)

    @pytest.mark.parametrize(
        ("facts", "name"),
        [({}, "2026-05-02 revenue EUR"), ({"currency": "", "kind": "booked", "amount": 0}, "2026-05-02 booked")],
    )
    def test_is_named_for_what_it_counts(self, facts: dict[str, Any], name: str) -> None:
        assert str(total(**facts)) == name


class TestCountedMessage:
    def test_is_one_row_for_a_message_and_kind(self) -> None:
        row = CountedMessage.objects.create(message_id=uuid4(), kind="booked")
        with pytest.raises(IntegrityError, match="analytics_countedmessage_pkey"):
            CountedMessage.objects.create(message_id=row.message_id, kind="booked")

    def test_is_named_for_both(self) -> None:
        message_id = uuid4()
        assert str(CountedMessage(message_id=message_id, kind="booked")) == f"booked {message_id}"
