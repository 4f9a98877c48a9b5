"""What a message adds to the numbers."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from tests.tickets_project.analytics.conftest import price
from tests.tickets_project.analytics.counted import money, published, redeemed, sold, totals
from tests.tickets_project.analytics.messages_for_tests import Sold
from tests.working import deliver_all
from tickets_project.analytics import handlers
from tickets_project.analytics.models import DailyTotal, Kind
from tickets_project.outbox.messages import Header
from tickets_project.outbox.models import Delivery


def sold_at(at: datetime) -> Sold:
    header = Header(id=str(uuid4()), published_at=at, idempotency_key="k", correlation_id="c")
    return Sold(sale_id="s1", price=money("12.50"), header=header)


@pytest.mark.django_db
class TestCount:
    def test_counts_without_worth_unless_told(self) -> None:
        handlers.count(sold_at(datetime.now(UTC)), kind=Kind.BOOKED)
        assert totals() == {("booked", ""): (1, "0.00")}

    def test_adds_what_the_message_is_worth(self) -> None:
        handlers.count(sold_at(datetime.now(UTC)), kind=Kind.REVENUE, worth=price)
        assert totals() == {("revenue", "EUR"): (1, "12.50")}

    def test_counts_what_turns_out_to_be_worth_nothing(self) -> None:
        handlers.count(sold_at(datetime.now(UTC)), kind=Kind.REFUNDED, worth=handlers.nothing)
        assert totals() == {("refunded", ""): (1, "0.00")}

    def test_counts_on_the_day_of_the_business(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        handlers.count(sold_at(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)), kind=Kind.BOOKED)
        assert DailyTotal.objects.get().day == date(2026, 7, 2)

    def test_counts_a_message_that_is_handled_twice_once(self) -> None:
        message = sold_at(datetime.now(UTC))
        for _ in range(2):
            handlers.count(message, kind=Kind.REVENUE, worth=price)
        assert totals() == {("revenue", "EUR"): (1, "12.50")}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("counting")
class TestCountInTheTable:
    def test_counts_what_the_outbox_delivers(self) -> None:
        published(sold("10.00"), sold("2.50"), redeemed())
        deliver_all()
        assert totals() == {
            ("booked", ""): (2, "0.00"),
            ("revenue", "EUR"): (2, "12.50"),
            ("redeemed", ""): (1, "0.00"),
        }

    def test_counts_a_redelivery_once(self) -> None:
        published(sold("10.00"))
        deliver_all()
        before = totals()
        Delivery.objects.update(status="pending", delivered_at=None, available_at=Now())
        deliver_all()
        assert not Delivery.objects.exclude(status="delivered").exists()
        assert totals() == before
