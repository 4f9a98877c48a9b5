"""Gathering the ops read model anew."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from threading import Event
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from bookings.handlers.read_model import HANDLERS
from bookings.models import OpsBooking, OpsTicket
from bookings.services import rebuilding
from bookings.services.rebuilding import Rebuilt, rebuild_ops_bookings
from tests.bookings.told import (
    FIRST,
    SECOND,
    after,
    confirmed,
    made,
    printed,
    receipt,
    refunded,
    rows,
    store,
    tell,
    ticket_row,
)
from tests.factories import MessageFactory
from tickets_project.outbox import claiming
from tickets_project.outbox.delivering import deliver
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, PrunedType
from tickets_project.outbox.models import Message as StoredMessage
from tickets_project.outbox.publishing import publish
from tickets_project.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db(transaction=True)

STORY: list[Message] = [
    made(),
    confirmed(),
    confirmed(11, ticket=SECOND),
    printed(),
    receipt(),
    printed(12, ticket=SECOND, file_name="b.html"),
    refunded(),
]
HEARD = [entry.key for entry in SUBSCRIPTIONS if entry.key.startswith("bookings.ops_")]


def run(*options: str) -> list[str]:
    out = StringIO()
    call_command("rebuild_ops_bookings", *options, stdout=out)
    return out.getvalue().splitlines()


def told() -> Any:
    """Store the story and tell it; return what it comes to."""
    store(*STORY)
    tell(*STORY)
    return rows()


def corrupt() -> None:
    """Make the rows wrong in each way: other facts, none, and made up ones."""
    OpsBooking.objects.update(customer_email="eve@customers.example", booked_at=after(-500))
    OpsTicket.objects.filter(ticket_id=FIRST).update(printed_at=after(-500), file_name="x.html", refunded_at=None)
    OpsTicket.objects.filter(ticket_id=SECOND).delete()
    OpsTicket.objects.create(ticket_id=uuid4(), booking_id=uuid4())


def deliver_live(*messages: Message) -> int:
    """Publish the messages and deliver them to the read model, as a worker does; return how many deliveries."""
    with transaction.atomic():
        publish(*messages)
    claims = claiming.claim(dispatcher=uuid4(), handlers=HEARD, limit=100, lease=timedelta(seconds=30))
    for claim in claims:
        deliver(claim)
    return len(claims)


@contextmanager
def elsewhere() -> Iterator[Callable[..., Future[Any]]]:
    """Let the test do something on another connection."""

    def alone(work: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return work(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        yield lambda work, *arguments: pool.submit(alone, work, *arguments)


def hold_until(may_end: Event, has_begun: Event) -> None:
    """Keep a transaction open that has told something of a ticket."""
    with transaction.atomic():
        tell(refunded(ticket=uuid4()))
        has_begun.set()
        may_end.wait(20)


def wait_until_somebody_waits() -> None:
    """Return when a connection waits for another."""
    until = monotonic() + 10
    while monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.rowcount:
                return
        sleep(0.01)
    raise AssertionError("Nobody waits.")


class TestRebuildOpsBookings:
    def test_brings_wrong_rows_back(self) -> None:
        before = told()
        corrupt()
        assert rows() != before
        rebuild_ops_bookings(HANDLERS)
        assert rows() == before

    def test_may_be_repeated(self) -> None:
        before = told()
        for _ in range(2):
            rebuild_ops_bookings(HANDLERS)
        assert rows() == before

    def test_comes_to_the_same_rows_as_deliveries_did(self) -> None:
        assert deliver_live(*STORY) == len(STORY)
        before = rows()
        assert len(before[1]) == 2
        rebuild_ops_bookings(HANDLERS)
        assert rows() == before

    def test_reads_what_was_stored_before_anybody_listened(self) -> None:
        store(*STORY)
        rebuilt = rebuild_ops_bookings(HANDLERS)
        assert rebuilt.applied.total() == len(STORY)
        tell(*STORY)
        assert rows() == told()

    def test_empties_the_rows_when_nothing_is_stored(self) -> None:
        tell(*STORY)
        assert rebuild_ops_bookings(HANDLERS) == Rebuilt()
        assert rows() == ([], [])

    def test_skips_types_that_nobody_hears(self) -> None:
        before = told()
        for name in ("booking.created", "TicketPrinted_v9", "TicketPrinted_v9"):
            MessageFactory.create(type=name, payload=[])
        rebuilt = rebuild_ops_bookings(HANDLERS)
        assert (rebuilt.unheard, rebuilt.unreadable) == ({"booking.created": 1, "TicketPrinted_v9": 2}, {})
        assert rows() == before

    @pytest.mark.parametrize(
        ("message", "facts"),
        [
            (printed(), {"file_name": None}),
            (printed(), {"ticket_id": 7}),
            (printed(), {"ticket_id": "T-7"}),
            (printed(), {"file_name": "x" * 101}),
            (made(), {"number_of_tickets": -1}),
            (made(), {"number_of_tickets": 2**40}),
            (made(), {"show_id": ""}),
            (confirmed(), {"price": {"amount": "1e12", "currency": "EUR"}}),
            (confirmed(), {"price": {"amount": "1.00", "currency": "EURO"}}),
            (confirmed(), {"booking_id": "B-7"}),
            (receipt(), {"issued_at": "yesterday"}),
        ],
    )
    def test_skips_what_does_not_fit(self, message: Message, facts: dict[str, Any]) -> None:
        tell(*STORY)
        before = rows()
        store(*STORY[:3])
        [wrong] = store(message)
        StoredMessage.objects.filter(id=wrong.id).update(payload=message.payload() | facts)
        store(*STORY[3:])
        rebuilt = rebuild_ops_bookings(HANDLERS)
        assert rebuilt.unreadable == {message.NAME: 1}
        assert rebuilt.applied.total() == len(STORY)
        assert rows() == before

    @pytest.mark.parametrize("payload", [[], "text", 7, {}])
    def test_skips_a_payload_that_is_no_message(self, payload: object) -> None:
        MessageFactory.create(payload=payload)
        assert rebuild_ops_bookings(HANDLERS).unreadable == {"TicketPrinted_v1": 1}

    def test_ignores_a_field_of_a_newer_version(self) -> None:
        MessageFactory.create(payload=printed().payload() | {"pages": 2}, published_at=after(2))
        rebuild_ops_bookings(HANDLERS)
        assert rows()[1] == [ticket_row(printed_at=after(2), file_name="a.html")]

    def test_logs_what_it_skips(self, caplog: pytest.LogCaptureFixture) -> None:
        message = MessageFactory.create(payload={})
        rebuild_ops_bookings(HANDLERS)
        assert str(message.id) in caplog.text
        assert "ticket_id" in caplog.text

    def test_stops_at_a_mistake_of_ours(self) -> None:
        before = told()

        def broken(message: Any) -> None:
            raise AttributeError(message)

        with pytest.raises(AttributeError):
            rebuild_ops_bookings({**HANDLERS, type(printed()): broken})
        assert rows() == before

    def test_goes_from_batch_to_batch_and_tells_how_far(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rebuilding, "BATCH", 3)
        before, steps = told(), list[int]()
        MessageFactory.create_batch(2, type="booking.created")
        rebuilt = rebuild_ops_bookings(HANDLERS, progress=steps.append)
        assert steps == [2, 3, 3, 1]
        assert (rebuilt.applied.total(), rebuilt.skipped) == (7, 2)
        assert rows() == before


class TestRebuildOpsBookingsMeanwhile:
    def test_lets_a_live_message_wait_and_loses_none(self) -> None:
        before, arrived = told(), list[Future[Any]]()
        with elsewhere() as do:

            def arrive(_: int) -> None:
                if not arrived:
                    arrived.append(do(deliver_live, refunded(ticket=SECOND)))
                    wait_until_somebody_waits()

            rebuild_ops_bookings(HANDLERS, progress=arrive)
            assert arrived[0].result(20) == 1
        [_, second] = rows()[1]
        published_at = StoredMessage.objects.latest("sequence").published_at
        assert second == before[1][1] | {"refunded_at": published_at}
        assert Delivery.objects.get(handler="bookings.ops_ticket_refunded").status == "delivered"

    def test_shows_readers_the_old_rows_until_the_end(self) -> None:
        told()
        corrupt()
        before, seen = rows(), list[Any]()
        with elsewhere() as do:
            rebuild_ops_bookings(HANDLERS, progress=lambda _: seen.append(do(rows).result(20)))
        assert seen == [before, before]
        assert rows() != before

    def test_waits_for_a_transaction_that_has_told_something(self) -> None:
        told()
        may_end, has_begun = Event(), Event()

        def end_when_waited_for() -> None:
            wait_until_somebody_waits()
            may_end.set()

        with elsewhere() as do, elsewhere() as then:
            holding = do(hold_until, may_end, has_begun)
            assert has_begun.wait(10)
            then(end_when_waited_for)
            assert rebuild_ops_bookings(HANDLERS).applied.total() == len(STORY)
            holding.result(20)

    def test_would_wait_in_a_circle_without_the_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told()
        monkeypatch.setattr(rebuilding, "_TAKE", "SELECT 1")
        with pytest.raises(OperationalError, match="deadlock"):
            rebuild_while_tickets_are_told_of()

    def test_keeps_out_of_the_circle(self) -> None:
        before = told()
        rebuild_while_tickets_are_told_of()
        assert rows() == before


def rebuild_while_tickets_are_told_of() -> None:
    """Rebuild while a transaction tells of two tickets, of the first before and of the second after it has begun."""
    has_begun = Event()
    with elsewhere() as do:
        telling = do(tell_of_both, has_begun)
        assert has_begun.wait(10)
        try:
            rebuild_ops_bookings(HANDLERS)
        finally:
            # Either of the two may be the one that PostgreSQL ends.
            telling.result(20)


def tell_of_both(has_begun: Event) -> None:
    with transaction.atomic():
        tell(refunded(-1, ticket=FIRST))
        has_begun.set()
        wait_until_somebody_waits()
        tell(refunded(-1, ticket=SECOND))


class TestCommand:
    def test_says_what_it_read_and_what_came_of_it(self) -> None:
        before = told()
        corrupt()
        MessageFactory.create(type="booking.created")
        MessageFactory.create(payload={})
        stored = [
            "       1  BookingMade_v1",
            "       2  TicketBookingConfirmed_v1",
            "       3  TicketPrinted_v1",
            "       1  TicketReceiptIssued_v1",
            "       1  TicketRefunded_v1",
            "       1  booking.created",
        ]
        assert run() == [
            "9 messages",
            *stored,
            "9 messages read: 7 applied, 2 skipped.",
            "       1  booking.created: the read model does not hear it",
            "       1  TicketPrinted_v1: unreadable, see the log",
        ]
        assert rows() == before

    def test_changes_nothing_in_a_dry_run(self) -> None:
        told()
        corrupt()
        before = rows()
        said = run("--dry-run")
        assert (said[0], said[-1]) == ("7 messages", "Dry run: nothing was changed.")
        assert rows() == before

    def test_refuses_when_messages_that_it_hears_are_pruned(self) -> None:
        before = told()
        StoredMessage.objects.filter(type="BookingMade_v1").delete()
        PrunedType.objects.create(type="BookingMade_v1", messages=1, until=timezone.now())
        with pytest.raises(CommandError, match=r"pruned: 1 BookingMade_v1 until \S+\. .*--accept-loss"):
            run()
        assert rows() == before
        assert "6 messages read: 6 applied, 0 skipped." in run("--accept-loss")

    def test_does_not_mind_when_others_are(self) -> None:
        told()
        PrunedType.objects.create(type="SendNotification", messages=1, until=timezone.now())
        assert "7 messages read: 7 applied, 0 skipped." in run()

    def test_gives_up_when_another_transaction_keeps_the_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rebuilding, "_LONGEST_WAIT", "SET LOCAL lock_timeout = '100ms'")
        before, may_end, has_begun = told(), Event(), Event()
        with elsewhere() as do:
            holding = do(hold_until, may_end, has_begun)
            assert has_begun.wait(10)
            try:
                with pytest.raises(CommandError, match=r"is as it was: .*lock timeout"):
                    run()
                assert rows() == before
            finally:
                may_end.set()
                holding.result(20)

    def test_leaves_everything_as_it_was_at_ctrl_c(self) -> None:
        told()
        corrupt()
        before, may_end, has_begun = rows(), Event(), Event()

        def interrupt() -> None:
            wait_until_somebody_waits()
            os.kill(os.getpid(), signal.SIGINT)

        with elsewhere() as do, elsewhere() as then:
            holding = do(hold_until, may_end, has_begun)
            assert has_begun.wait(10)
            interrupting = then(interrupt)
            try:
                with pytest.raises(CommandError, match="Interrupted: the read model is as it was") as stop:
                    run()
                assert (stop.value.returncode, rows()) == (130, before)
            finally:
                may_end.set()
                holding.result(20)
                interrupting.result(20)
