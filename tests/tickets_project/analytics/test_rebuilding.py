"""Rebuilding the numbers by a replay."""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread, Timer
from typing import Any
from uuid import uuid4

import pytest

from tests.tickets_project.analytics import messages_for_tests
from tests.tickets_project.analytics.conftest import Table, ignore
from tests.tickets_project.analytics.counted import at_once, published, redeemed, sold, totals
from tests.tickets_project.analytics.messages_for_tests import Sold
from tests.working import deliver_all, deliver_due
from tickets_project.analytics import handlers, rebuilding
from tickets_project.analytics.errors import NothingCounts
from tickets_project.analytics.models import DailyTotal, Kind
from tickets_project.analytics.rebuilding import plan_rebuild, rebuild
from tickets_project.analytics.services import count, forget_all
from tickets_project.outbox import replaying
from tickets_project.outbox.errors import NotReplayable
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, Intervention
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("counting")]
count_booked = partial(handlers.count, kind=Kind.BOOKED)


def counted_sales() -> dict[tuple[str, str], tuple[int, str]]:
    """Publish and deliver three sales in two currencies, one of them redeemed; return the numbers."""
    published(sold("10.00"), sold("2.50"), sold("80.00", "CHF"), redeemed())
    deliver_all()
    return totals()


def corrupt() -> None:
    """Make the numbers wrong in each way: too high, gone, and made up."""
    DailyTotal.objects.filter(kind="booked").update(count=99)
    DailyTotal.objects.filter(currency="CHF").delete()
    count(message_id=uuid4(), kind=Kind.NO_SHOW, on=DailyTotal.objects.all()[0].day, money=None)


def instead(table: Table, handler: Callable[[Any], None], **choices: Any) -> None:
    """Count sales by this handler alone."""
    subscription = Subscription(Sold, "analytics.count_booked", handler, **choices)
    table(Subscriptions(subscription, declared_in=(messages_for_tests,)))


class TestRebuild:
    def test_brings_wrong_numbers_back(self) -> None:
        before = counted_sales()
        corrupt()
        assert totals() != before
        assert rebuild(by="ann") == 7
        deliver_all()
        assert totals() == before

    def test_may_be_repeated(self) -> None:
        before = counted_sales()
        for _ in range(2):
            rebuild(by="ann")
        deliver_all()
        assert totals() == before

    def test_counts_what_waits_once(self) -> None:
        before = counted_sales()
        published(sold("1.00"))
        assert rebuild(by="ann") == 7
        deliver_all()
        assert totals() == before | {("booked", ""): (4, "0.00"), ("revenue", "EUR"): (3, "13.50")}

    def test_counts_what_is_published_and_delivered_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replaying, "BATCH", 1)
        before = counted_sales()

        def go_on(_: int) -> None:
            published(redeemed())
            deliver_all()

        rebuild(by="ann", progress=go_on)
        deliver_all()
        assert totals() == before | {("redeemed", ""): (5, "0.00")}

    def test_is_exact_while_others_publish_and_deliver(self) -> None:
        counted_sales()
        over = Event()

        def work() -> None:
            while not over.is_set():
                published(sold("1.00"))
                deliver_due()

        def rebuild_twice() -> None:
            try:
                for _ in range(2):
                    rebuild(by="ann")
            finally:
                over.set()

        at_once([work, work, rebuild_twice])
        deliver_all(rounds=100)
        sales = Delivery.objects.filter(handler="analytics.count_booked", status="delivered").count()
        assert sales > 3
        assert totals()["booked", ""] == (sales, "0.00")
        assert totals()["revenue", "EUR"] == (sales - 1, f"{sales - 3 + 12.5:.2f}")

    def test_waits_for_a_transaction_that_has_counted(self, table: Table) -> None:
        has_counted, may_commit = Event(), Event()

        def linger(message: Message) -> None:
            count_booked(message)
            has_counted.set()
            may_commit.wait(timeout=10)

        instead(table, count_booked)
        published(sold())
        deliver_all()
        instead(table, linger)
        published(sold())
        delivering = Thread(target=at_once, args=[[deliver_due]])
        delivering.start()
        has_counted.wait(timeout=10)
        Timer(0.3, may_commit.set).start()
        assert rebuild(by="ann") == 2
        delivering.join()
        deliver_all()
        assert totals() == {("booked", ""): (2, "0.00")}

    def test_opens_what_was_counted_until_it_forgets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forget_late() -> None:
            published(redeemed())
            deliver_all()
            forget_all()

        before = counted_sales()
        monkeypatch.setattr(rebuilding, "forget_all", forget_late)
        rebuild(by="ann")
        deliver_all()
        assert totals() == before | {("redeemed", ""): (2, "0.00")}

    def test_counts_what_was_published_before_there_was_a_handler(self, table: Table) -> None:
        table(Subscriptions(Subscription(Sold, "sales.ignore", ignore), declared_in=(messages_for_tests,)))
        published(sold(), sold())
        deliver_all()
        instead(table, count_booked)
        assert rebuild(by="ann") == 2
        deliver_all()
        assert totals() == {("booked", ""): (2, "0.00")}

    def test_leaves_other_handlers_alone_and_says_who_did_it(self) -> None:
        counted_sales()
        rebuild(by="ann")
        assert not Delivery.objects.filter(handler="sales.ignore", status="pending").exists()
        assert set(Intervention.objects.values_list("by", "reason")) == {("ann", "The numbers were rebuilt.")}

    def test_tells_how_far_it_is(self) -> None:
        counted_sales()
        steps: list[int] = []
        rebuild(by="ann", progress=steps.append)
        assert sum(steps) == 4

    def test_forgets_nothing_when_a_handler_must_not_be_repeated(self, table: Table) -> None:
        before = counted_sales()
        instead(table, count_booked, replayable=False)
        with pytest.raises(NotReplayable, match=r"analytics\.count_booked"):
            rebuild(by="ann")
        assert totals() == before


class TestPlanRebuild:
    def test_counts_the_deliveries_of_its_handlers_and_changes_nothing(self) -> None:
        before = counted_sales()
        plan = plan_rebuild()
        assert plan.messages == 4
        assert plan.deliveries == {
            "analytics.count_booked": 3,
            "analytics.count_revenue": 3,
            "analytics.count_redeemed": 1,
        }
        assert totals() == before
        assert not Delivery.objects.filter(status="pending").exists()

    def test_refuses_a_table_where_nothing_counts(self, table: Table) -> None:
        counted_sales()
        table(Subscriptions(Subscription(Sold, "sales.ignore", ignore), declared_in=(messages_for_tests,)))
        with pytest.raises(NothingCounts):
            plan_rebuild()
