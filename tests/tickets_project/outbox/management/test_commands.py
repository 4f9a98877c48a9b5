"""The commands of the operations team, each with its refusals."""

import traceback
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories import DeliveryFactory, MessageFactory
from tests.tickets_project.outbox import messages_for_tests
from tests.tickets_project.outbox.messages_for_tests import DoIt, Happened
from tests.working import claim_due
from tickets_project.outbox.models import Delivery, Intervention
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

pytestmark = pytest.mark.django_db(transaction=True)


def run(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=out)
    return out.getvalue()


def ignore(_message: Any) -> None:
    return None


@pytest.fixture(autouse=True)
def _table(table: Callable[[Subscriptions], None]) -> None:
    table(
        Subscriptions(
            Subscription(Happened, "things.listen", ignore),
            Subscription(DoIt, "things.do", ignore),
            declared_in=(messages_for_tests,),
        )
    )


def parked(**fields: Any) -> Delivery:
    fields.setdefault("message", MessageFactory.create(type="Happened_v1", payload={"thing_id": "t1"}))
    defaults = {"handler": "things.listen", "status": "parked", "last_error": "Traceback\nValueError: boom"}
    delivery: Delivery = DeliveryFactory.create(**defaults | fields)
    return delivery


class Lost(Exception):
    """An error of these tests."""


def traceback_of(error: Exception) -> str:
    """Return what the outbox stores of an error that another one led to."""
    try:
        raise error from ValueError("first")
    except type(error) as raised:
        return "".join(traceback.format_exception(raised))


class TestListDeliveries:
    def test_prints_a_line_with_the_last_line_of_the_error(self) -> None:
        delivery = parked(attempts=12)
        [line] = run("list_deliveries").splitlines()
        assert line.split()[:4] == [str(delivery.pk), "parked", "12", "attempts"]
        assert line.endswith(f"{delivery.message.aggregateid}  ValueError: boom")

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--status", "parked"), ("--handler", "things.listen"), ("--type", "Happened_v1"), ("--error", "boom")],
    )
    def test_filters(self, option: str, value: str) -> None:
        wanted = parked()
        DeliveryFactory.create(handler="things.do", message=MessageFactory.create(type="DoIt"))
        lines = run("list_deliveries", option, value).splitlines()
        assert [line.split()[0] for line in lines] == [str(wanted.pk)]

    def test_filters_by_aggregate(self) -> None:
        wanted = parked()
        parked(message=MessageFactory.create(type="Happened_v1"))
        lines = run("list_deliveries", "--aggregate", wanted.message.aggregateid).splitlines()
        assert [line.split()[0] for line in lines] == [str(wanted.pk)]

    def test_says_how_many_more_there_are(self) -> None:
        for _ in range(3):
            parked()
        lines = run("list_deliveries", "--limit", "2").splitlines()
        assert len(lines) == 3
        assert lines[-1] == "and 1 more"

    def test_counts_the_parked_ones_by_handler_and_exception(self) -> None:
        for _ in range(2):
            parked(last_error=traceback_of(KeyError("seat")))
        parked()
        parked(handler="things.do", last_error=traceback_of(KeyError("seat")))
        parked(status="pending", last_error=traceback_of(KeyError("seat")))
        lines = run("list_deliveries", "--grouped").splitlines()
        assert [line.split()[:3] for line in lines] == [
            ["2", "things.listen", "KeyError"],
            ["1", "things.do", "KeyError"],
            ["1", "things.listen", "unknown"],
        ]
        assert len(run("list_deliveries", "--grouped", "--handler", "things.do").splitlines()) == 1
        assert run("list_deliveries", "--grouped", "--limit", "1").splitlines()[1:] == ["and 2 more"]

    def test_finds_what_is_left_of_a_handler_and_a_type_that_are_gone(self) -> None:
        left = parked(handler="things.gone", message=MessageFactory.create(type="Gone_v1"))
        parked()
        for option in (["--handler", "things.gone"], ["--type", "Gone_v1"]):
            assert [line.split()[0] for line in run("list_deliveries", *option).splitlines()] == [str(left.pk)]

    def test_refuses_an_unknown_handler_and_names_the_known(self) -> None:
        with pytest.raises(CommandError, match=r"no handler things\.lisen\. There are: .*things\.listen"):
            run("list_deliveries", "--handler", "things.lisen")

    def test_refuses_an_unknown_type(self) -> None:
        with pytest.raises(CommandError, match="no message type Hapened_v1"):
            run("list_deliveries", "--type", "Hapened_v1")

    @pytest.mark.parametrize("number", ["0", "-1", "many", "99999999999999999999"])
    def test_refuses_nonsense_for_a_number(self, number: str) -> None:
        with pytest.raises(CommandError, match="no whole number above zero"):
            run("list_deliveries", f"--limit={number}")


class TestRetryDeliveries:
    def test_retries_all_parked_ones_by_default(self) -> None:
        deliveries = [parked(), parked()]
        waiting = parked(status="pending", available_at=timezone.now() + timedelta(hours=1))
        assert "2 deliveries retried, 0 left alone" in run("retry_deliveries")
        assert {claim.delivery_id for claim in claim_due()} == {delivery.pk for delivery in deliveries}
        waiting.refresh_from_db()
        assert waiting.available_at > timezone.now()

    @pytest.mark.parametrize("name", ["Lost", f"{__name__}.Lost"])
    def test_retries_one_group(self, name: str) -> None:
        alike = parked(last_error=traceback_of(Lost("a\nKeyError: b")))
        parked(last_error=traceback_of(KeyError("seat")))
        parked(handler="things.do", last_error=traceback_of(Lost("c")))
        assert "1 deliveries retried" in run("retry_deliveries", "--handler", "things.listen", "--exception", name)
        assert [claim.delivery_id for claim in claim_due()] == [alike.pk]

    def test_retries_those_that_are_named(self) -> None:
        wanted, other = parked(), parked()
        run("retry_deliveries", str(wanted.pk))
        other.refresh_from_db()
        assert other.status == "parked"
        assert Intervention.objects.get().by.endswith("(command line)")

    def test_changes_nothing_in_a_dry_run(self) -> None:
        delivery = parked()
        assert "1 deliveries would be retried" in run("retry_deliveries", "--dry-run")
        delivery.refresh_from_db()
        assert delivery.status == "parked"

    def test_leaves_alone_what_is_closed_and_says_so(self) -> None:
        closed = parked(status="discarded")
        out = run("retry_deliveries", str(closed.pk))
        assert f"{closed.pk}: The delivery is delivered or discarded already" in out
        assert "0 deliveries retried, 1 left alone" in out

    def test_refuses_a_number_that_is_none(self) -> None:
        with pytest.raises(CommandError, match="No such delivery: 999999"):
            run("retry_deliveries", "999999")


class TestDiscardDeliveries:
    def test_discards_with_the_reason(self) -> None:
        delivery = parked()
        assert "1 deliveries discarded" in run("discard_deliveries", "--reason", "made twice")
        delivery.refresh_from_db()
        assert delivery.status == "discarded"
        assert Intervention.objects.get().reason == "made twice"

    def test_needs_a_reason(self) -> None:
        with pytest.raises(CommandError, match="--reason"):
            run("discard_deliveries")

    def test_refuses_a_blank_reason(self) -> None:
        delivery = parked()
        with pytest.raises(CommandError, match="says why"):
            run("discard_deliveries", "--reason", " ")
        delivery.refresh_from_db()
        assert delivery.status == "parked"
