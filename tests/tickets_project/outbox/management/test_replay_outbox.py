"""`replay_outbox`: what it says, what it refuses, and how it is stopped."""

import re
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.factories import DeliveryFactory, MessageFactory
from tests.processes import eventually, running
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tickets_project.outbox.models import Delivery, Intervention
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)
PRINTED = "bookings.record_printed"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_outbox", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def ignore(_message: Any) -> None:
    return None


@pytest.fixture
def _three_handlers(table: Callable[[Subscriptions], None]) -> None:
    table(
        Subscriptions(
            Subscription(Happened, "things.listen", ignore),
            Subscription(Happened, "things.pay", ignore, replayable=False),
            Subscription(DoIt, "things.do", ignore),
            declared_in=(messages_for_tests,),
        )
    )


def delivered(handler: str = "things.listen") -> Delivery:
    message = MessageFactory.create(type="Happened_v1", payload={"thing_id": "t1"})
    delivery: Delivery = DeliveryFactory.create(
        message=message, handler=handler, status="delivered", delivered_at=timezone.now()
    )
    return delivery


@pytest.mark.usefixtures("_three_handlers")
class TestReplayOutbox:
    def test_prints_the_plan_and_opens_the_deliveries(self) -> None:
        delivery = delivered()
        out = run("--id", str(delivery.message_id), "--reason", "lost")
        assert out.splitlines() == [
            "1 messages",
            "       1  Happened_v1",
            "           1  things.listen",
            "Left out, for they must not be repeated: things.pay. --force repeats them too.",
            "1 deliveries opened.",
        ]
        assert Intervention.objects.get().reason == "lost"

    def test_changes_nothing_in_a_dry_run(self) -> None:
        delivery = delivered()
        assert "Dry run: nothing was changed." in run("--all", "--dry-run")
        delivery.refresh_from_db()
        assert delivery.status == "delivered"

    def test_wants_to_be_told_which_messages(self) -> None:
        with pytest.raises(CommandError, match="Say which messages: --id, --type"):
            run()

    def test_refuses_a_handler_that_must_not_repeat(self) -> None:
        with pytest.raises(CommandError, match="must not be repeated"):
            run("--handler", "things.pay")

    def test_repeats_it_when_forced(self) -> None:
        delivered("things.pay")
        assert "1 deliveries opened" in run("--handler", "things.pay", "--force")

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--handler", "things.lisen"], "no handler"),
            (["--type", "Hapened_v1"], "no message type"),
            (["--type", "DoIt", "--handler", "things.listen"], "things.listen does not hear DoIt"),
            (["--since", "2026-05-01"], "no time with an offset"),
            (["--until", "2026-13-01T00:00:00Z"], "no time with an offset"),
            (["--id", "t1"], "invalid UUID value"),
            (["--all", "--rate", "0"], "no whole number above zero"),
        ],
    )
    def test_refuses_nonsense(self, arguments: list[str], complaint: str) -> None:
        with pytest.raises(CommandError, match=complaint):
            run(*arguments)

    def test_takes_times_and_an_aggregate(self) -> None:
        delivery = delivered()
        since = (timezone.now() - timedelta(hours=1)).isoformat()
        arguments = ["--since", since, "--aggregate", delivery.message.aggregateid, "--rate", "100"]
        assert "1 deliveries opened" in run(*arguments)

    def test_finds_nothing_for_an_unknown_message(self) -> None:
        assert run("--id", str(uuid4())).splitlines() == ["0 messages", "0 deliveries opened."]


def stop(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    process.send_signal(number)


def cut_off(_process: "subprocess.Popen[str]") -> None:
    """End the command's connection to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class TestReplayOutboxStopped:
    @pytest.mark.parametrize(
        "end", [partial(stop, number=signal.SIGTERM), partial(stop, number=signal.SIGINT), cut_off]
    )
    def test_says_what_it_did_and_how_to_go_on(self, end: Callable[["subprocess.Popen[str]"], None]) -> None:
        MessageFactory.create_batch(20)
        arguments = ["--handler", PRINTED, "--rate", "5", "--reason", "lost"]
        with running("replay_outbox", *arguments) as process:
            eventually(Delivery.objects.exists, seconds=30)
            end(process)
            said, _ = process.communicate(timeout=15)
        opened = Delivery.objects.count()
        assert process.returncode == 1
        assert f"Stopped after {opened} of 20 messages, {opened} deliveries opened." in said
        MessageFactory.create()
        how = re.search(r"with (--after \d+) (--until \S+)", said)
        assert how
        assert 0 < opened < 20
        with running("replay_outbox", *arguments[:2], *how[1].split(), *how[2].split()) as process:
            said, _ = process.communicate(timeout=30)
        assert f"{20 - opened} deliveries opened." in said
        assert Intervention.objects.count() == Delivery.objects.count() == 20
