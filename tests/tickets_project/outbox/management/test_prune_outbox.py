"""The command that prunes, and how it is stopped."""

import signal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from tests.processes import eventually, running
from tests.tickets_project.outbox.aged import delivery, message
from tickets_project.outbox.models import Delivery, Message

pytestmark = pytest.mark.django_db(transaction=True)


def run(*options: str) -> list[str]:
    out = StringIO()
    call_command("prune_outbox", *options, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _retention(settings: Settings) -> None:
    settings.OUTBOX_KEEP_DELIVERED_DAYS = 30
    settings.OUTBOX_KEEP_MESSAGES_DAYS = 365


PLAN = [
    "2 deliveries, kept for 30 days (OUTBOX_KEEP_DELIVERED_DAYS)",
    "1 messages with all of their deliveries, kept for 365 days (OUTBOX_KEEP_MESSAGES_DAYS)",
]


class TestPruneOutbox:
    def test_says_what_may_go_and_deletes_it(self) -> None:
        delivery(days=400)
        delivery(days=40)
        assert run() == [*PLAN, "2 deliveries and 1 messages deleted."]
        assert not Delivery.objects.exists()
        assert Message.objects.count() == 1

    def test_changes_nothing_in_a_dry_run(self) -> None:
        delivery(days=400)
        delivery(days=40)
        assert run("--dry-run") == [*PLAN, "Dry run: nothing was changed."]
        assert Delivery.objects.count() == Message.objects.count() == 2

    def test_says_what_was_pruned_before(self) -> None:
        last = message(days=400)
        run()
        day = last.published_at.date()
        assert run("--dry-run")[2] == f"pruned so far: 1 TicketPrinted_v1 until {day}"

    def test_says_what_is_kept_for_ever(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_DELIVERED_DAYS = settings.OUTBOX_KEEP_MESSAGES_DAYS = 0
        assert run()[0] == "0 deliveries, kept for ever (OUTBOX_KEEP_DELIVERED_DAYS=0)"

    def test_leaves_the_signals_as_they_were(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        run()
        assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
class TestPruneOutboxStopped:
    def test_finishes_the_batch_in_hand(self, number: signal.Signals) -> None:
        one = delivery(days=40)
        with connection.cursor() as cursor:
            # Enough for many batches.
            cursor.execute(
                "INSERT INTO outbox_delivery (message_id, sequence, handler, status, attempts, waits_for, last_error,"
                " delivered_at) SELECT message_id, sequence, handler || n, status, 1, '', '', delivered_at"
                " FROM outbox_delivery, generate_series(1, 40000) AS n WHERE id = %s",
                [one.pk],
            )
        with running("prune_outbox", OUTBOX_KEEP_DELIVERED_DAYS="30") as process:
            eventually(lambda: Delivery.objects.count() < 40_001, seconds=30)
            process.send_signal(number)
            said, _ = process.communicate(timeout=15)
        left = Delivery.objects.count()
        assert process.returncode == 0
        assert f"{40_001 - left} deliveries and 0 messages deleted." in said
        assert "Stopped before the end" in said
        assert (40_001 - left) % 1000 == 0
        assert left
