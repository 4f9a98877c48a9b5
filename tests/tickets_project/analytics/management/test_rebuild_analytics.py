"""The command that rebuilds the numbers."""

from io import StringIO
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from tests.tickets_project.analytics import messages_for_tests
from tests.tickets_project.analytics.conftest import Table
from tests.tickets_project.analytics.counted import at_once, published, redeemed, sold, totals
from tests.working import deliver_all
from tickets_project.analytics import services
from tickets_project.analytics.models import DailyTotal
from tickets_project.outbox.models import Intervention, PrunedType
from tickets_project.outbox.subscriptions import Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = ["2 messages", "       1  analytics.count_booked", "       1  analytics.count_redeemed"]


def run(*options: str) -> list[str]:
    out = StringIO()
    call_command("rebuild_analytics", *options, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _numbers(counting: None) -> None:
    """Count a sale and a redemption."""
    del counting
    published(sold("10.00"), redeemed())
    deliver_all()


class TestRebuildAnalytics:
    def test_says_what_it_opens_and_opens_it(self) -> None:
        before = totals()
        DailyTotal.objects.update(count=99)
        assert run() == [*PLAN, "       1  analytics.count_revenue", "3 deliveries opened."]
        deliver_all()
        assert totals() == before
        assert all(entry.by.endswith("command line)") for entry in Intervention.objects.all())

    def test_changes_nothing_in_a_dry_run(self) -> None:
        before = totals()
        assert run("--dry-run") == [*PLAN, "       1  analytics.count_revenue", "Dry run: nothing was changed."]
        assert totals() == before
        assert not Intervention.objects.exists()

    def test_says_that_nothing_counts(self, table: Table) -> None:
        before = totals()
        table(Subscriptions(declared_in=(messages_for_tests,)))
        with pytest.raises(CommandError, match="no handler of analytics"):
            run()
        assert totals() == before

    def test_refuses_when_messages_that_counted_are_pruned(self) -> None:
        before = totals()
        PrunedType.objects.create(type="Unheard_v1", messages=7, until=timezone.now())
        PrunedType.objects.create(type="Sold_v1", messages=7, until=timezone.now())
        with pytest.raises(CommandError, match=r"These messages are pruned: 7 Sold_v1 until \S+\. .*--accept-loss"):
            run()
        assert totals() == before
        assert run("--accept-loss")[-1] == "3 deliveries opened."

    def test_gives_up_when_another_transaction_keeps_the_totals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "_LONGEST_WAIT", "SET LOCAL lock_timeout = '100ms'")
        before, is_held, may_end = totals(), Event(), Event()

        def hold() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("LOCK TABLE analytics_dailytotal")
                is_held.set()
                may_end.wait(timeout=10)

        holding = Thread(target=at_once, args=[[hold]])
        holding.start()
        is_held.wait(timeout=10)
        try:
            with pytest.raises(CommandError, match=r"run it again: .*lock timeout"):
                run()
        finally:
            may_end.set()
            holding.join()
        assert totals() == before
