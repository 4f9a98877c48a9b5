"""Counting: once, exactly, and with many at it."""

from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction

from tests.tickets_project.analytics.counted import DAY, at_once, counted, money, totals
from tickets_project.analytics import services
from tickets_project.analytics.models import CountedMessage, DailyTotal, Kind
from tickets_project.analytics.services import count, forget_all


def count_both_ways(meeting: Barrier, *currencies: str) -> None:
    """Count in several currencies in one transaction; meet the other one after the first, if it gets so far."""
    with transaction.atomic():
        for currency in currencies:
            counted(Kind.REVENUE, worth=money("1.00", currency))
            with suppress(BrokenBarrierError):
                meeting.wait(timeout=0.5)


@pytest.mark.django_db
class TestCount:
    @pytest.mark.parametrize("kind", list(Kind))
    def test_counts_each_kind_by_itself(self, kind: Kind) -> None:
        counted(kind, times=3)
        assert totals() == {(kind, ""): (3, "0.00")}

    def test_counts_a_message_once_for_each_kind(self) -> None:
        message_id = uuid4()
        for kind in (Kind.BOOKED, Kind.REVENUE, Kind.BOOKED, Kind.REVENUE):
            count(message_id=message_id, kind=kind, on=DAY, money=money("12.50"))
        assert totals() == {("booked", "EUR"): (1, "12.50"), ("revenue", "EUR"): (1, "12.50")}

    def test_counts_a_repeated_message_once_whatever_it_says_now(self) -> None:
        message_id = uuid4()
        count(message_id=message_id, kind=Kind.REVENUE, on=DAY, money=money("12.50"))
        count(message_id=message_id, kind=Kind.REVENUE, on=DAY.replace(day=3), money=money("99.00", "CHF"))
        assert totals() == {("revenue", "EUR"): (1, "12.50")}

    def test_adds_up_the_amounts_of_each_currency(self) -> None:
        for worth in (money("10.10"), money("0.20"), money("80.00", "CHF")):
            counted(Kind.REVENUE, worth=worth)
        assert totals() == {("revenue", "EUR"): (2, "10.30"), ("revenue", "CHF"): (1, "80.00")}

    def test_counts_what_was_free_in_its_currency(self) -> None:
        counted(Kind.REVENUE, worth=money("0.00"))
        assert totals() == {("revenue", "EUR"): (1, "0.00")}

    def test_keeps_days_apart(self) -> None:
        counted(Kind.BOOKED, on=DAY, times=2)
        counted(Kind.BOOKED, on=DAY.replace(day=3))
        assert list(DailyTotal.objects.order_by("day").values_list("day__day", "count")) == [(2, 2), (3, 1)]


@pytest.mark.django_db(transaction=True)
class TestCountAtOnce:
    def test_is_exact_with_eight_at_it(self) -> None:
        at_once([partial(counted, Kind.REVENUE, worth=money("0.10"), times=50)] * 8)
        assert totals() == {("revenue", "EUR"): (400, "40.00")}

    def test_counts_one_message_once_when_it_comes_eight_times_at_once(self) -> None:
        meeting, message_id = Barrier(8), uuid4()

        def come() -> None:
            meeting.wait()
            count(message_id=message_id, kind=Kind.BOOKED, on=DAY, money=None)

        at_once([come] * 8)
        assert totals() == {("booked", ""): (1, "0.00")}

    def test_counts_again_what_was_rolled_back(self) -> None:
        again = partial(count, message_id=uuid4(), kind=Kind.BOOKED, on=DAY, money=None)
        with transaction.atomic():
            again()
            transaction.set_rollback(True)
        assert totals() == {}
        again()
        assert totals() == {("booked", ""): (1, "0.00")}

    def test_would_wait_in_a_circle_without_turns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        out_of_turn = services._COUNT.replace("pg_advisory_xact_lock", "abs")
        assert out_of_turn != services._COUNT
        monkeypatch.setattr(services, "_COUNT", out_of_turn)
        meeting = Barrier(2)
        with pytest.raises(OperationalError, match="deadlock"):
            at_once([partial(count_both_ways, meeting, *order) for order in (("EUR", "CHF"), ("CHF", "EUR"))])

    def test_waits_for_its_turn(self) -> None:
        meeting = Barrier(2)
        at_once([partial(count_both_ways, meeting, *order) for order in (("EUR", "CHF"), ("CHF", "EUR"))])
        assert totals() == {("revenue", "EUR"): (2, "2.00"), ("revenue", "CHF"): (2, "2.00")}

    def test_lets_another_kind_pass(self) -> None:
        def count_beside() -> None:
            with transaction.atomic():
                counted(Kind.BOOKED)
                at_once([partial(counted, Kind.PRINTED)])

        at_once([count_beside])
        assert totals() == {("booked", ""): (1, "0.00"), ("printed", ""): (1, "0.00")}


@pytest.mark.django_db
class TestForgetAll:
    def test_empties_the_totals_and_counts_everything_anew(self) -> None:
        message_id = uuid4()
        for _ in range(2):
            count(message_id=message_id, kind=Kind.BOOKED, on=DAY, money=None)
            assert totals() == {("booked", ""): (1, "0.00")}
            forget_all()
            assert totals() == {}
            assert not CountedMessage.objects.exists()
