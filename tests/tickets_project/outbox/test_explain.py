"""What claiming and publishing read in large tables, by PostgreSQL's own account: what they need, and little else."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from tests.tickets_project.outbox.explaining import Node, assert_by_index, buffers, plan_of, plans, rows_read, scans
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim, Reading
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT, LEASE, HOUR = 20, timedelta(seconds=10), timedelta(hours=1)
FLOOD = 10_000
HANDLER = "things.flooded"
HANDLERS = [HANDLER, *(f"things.quiet_{number}" for number in range(30))]
QUIET = HANDLERS[-1]
_FILL = """
    WITH message AS (
        INSERT INTO outbox_message (id, kind, type, aggregatetype, aggregateid, payload, headers)
        SELECT gen_random_uuid(), 'event', 'Happened_v1', 'thing', 't' || number, '{}', '{}'
        FROM generate_series(1, %(count)s) AS number
        RETURNING id, sequence, aggregateid
    )
    INSERT INTO outbox_delivery (
        message_id, sequence, handler, ordering_key, status, attempts, waits_for, last_error, available_at, delivered_at
    )
    SELECT id, sequence, %(handler)s, replace(%(key)s, 'each', aggregateid), %(status)s, 0, '', '',
        statement_timestamp() + %(due_in)s, CASE WHEN %(status)s = 'delivered' THEN statement_timestamp() END
    FROM message ORDER BY sequence
"""


def fill(
    count: int,
    *,
    handler: str = HANDLER,
    status: str = "pending",
    key: str | None = None,
    due_in: timedelta = timedelta(0),
) -> None:
    """Store so many deliveries; those with the key `each` are ordered, each by a thing of its own."""
    values: dict[str, Any] = {"count": count, "handler": handler, "status": status, "key": key, "due_in": due_in}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)


def vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) outbox_delivery, outbox_message")


def claim(since: str = "{}") -> list[Claim]:
    reading = Reading(since=since)
    return claiming.claim(dispatcher=uuid4(), handlers=HANDLERS, limit=LIMIT, lease=LEASE, reading=reading)


def of_the_queue(plan: Node) -> int:
    """Return how many pages were read to find what may be claimed."""
    return sum(buffers(scan) for scan in scans(plan) if scan["Alias"] == "candidate")


class TestClaim:
    def test_costs_no_more_after_many_were_delivered(self) -> None:
        fill(FLOOD)
        vacuum()
        before = plan_of(claim)
        fill(10 * FLOOD, status="delivered")
        vacuum()
        plan = plan_of(claim)
        assert_by_index(plan)
        assert "outbox_delivery_queue" in {scan.get("Index Name") for scan in scans(plan)}
        assert rows_read(plan) == rows_read(before) <= 3 * LIMIT
        assert buffers(plan) <= 1.5 * buffers(before)

    @pytest.mark.parametrize(
        "flood",
        [
            {"due_in": HOUR},
            {"status": "parked"},
            {"status": "discarded"},
            {"key": "each"},
            {"key": "each", "due_in": HOUR},
        ],
        ids=str,
    )
    def test_reads_what_it_claims_in_a_flood(self, flood: dict[str, Any]) -> None:
        """The flood is due, or it is not; there is little else to do."""
        fill(FLOOD, **flood)
        fill(LIMIT, handler=QUIET)
        vacuum()
        plan = plan_of(claim)
        assert_by_index(plan)
        assert rows_read(plan) <= 5 * LIMIT

    @pytest.mark.parametrize("old", ["delivered", "parked"])
    def test_reads_what_it_claims_when_a_flood_comes_after_few(self, old: str) -> None:
        """The planner still takes few rows for pending."""
        fill(FLOOD, status=old)
        fill(LIMIT, handler=QUIET)
        vacuum()
        fill(FLOOD)
        plan = plan_of(claim)
        assert_by_index(plan)
        assert rows_read(plan) <= 5 * LIMIT

    def test_reads_what_it_claims_when_the_rest_is_in_hand(self) -> None:
        fill(FLOOD)
        fill(LIMIT, handler=QUIET)
        claiming.claim(dispatcher=uuid4(), handlers=[HANDLER], limit=FLOOD, lease=HOUR)
        vacuum()
        plan = plan_of(claim)
        assert_by_index(plan)
        assert rows_read(plan) <= 5 * LIMIT

    def test_passes_over_what_others_hold_once(self) -> None:
        fill(FLOOD)
        vacuum()
        held = FLOOD // 10
        other = connection.copy()
        other.set_autocommit(False)
        claimed = "SELECT FROM outbox_delivery ORDER BY available_at, id LIMIT %s FOR UPDATE"
        other.cursor().execute(claimed, [held])
        plan = plan_of(claim)
        other.rollback()
        other.close()
        assert_by_index(plan)
        assert held < rows_read(plan) <= held + 5 * LIMIT

    def test_passes_over_what_is_held_back_once(self) -> None:
        """For an ordered handler a claim looks at each delivery that waits for an earlier one."""
        fill(FLOOD, status="delivered")
        fill(1, status="parked", key="one")
        fill(FLOOD, key="one")
        fill(LIMIT, handler=QUIET)
        vacuum()
        plan = plan_of(claim)
        assert_by_index(plan)
        # Once in the queue, and once to find an earlier one of its key.
        assert rows_read(plan) <= 2 * FLOOD + 5 * LIMIT


class TestPublish:
    @pytest.mark.usefixtures("listener")
    def test_costs_no_more_when_many_wait_for_others(self) -> None:
        """Who waits for the thing is looked up in a function, which shows its buffers and not its plan."""

        def publish_one() -> None:
            with transaction.atomic():
                publish(Happened(thing_id="t0"))

        # The first time the function itself is read.
        publish_one()
        before = plan_of(publish_one)
        fill(FLOOD, due_in=HOUR)
        Delivery.objects.update(waits_for="another")
        vacuum()
        # The indexes are deeper, and the table has some five hundred pages.
        assert buffers(plan_of(publish_one)) <= 4 * buffers(before)


class TestAfterAFlood:
    """The planner still takes most rows for pending: nobody has counted them again."""

    @pytest.fixture(autouse=True)
    def _flood(self) -> None:
        fill(FLOOD)
        vacuum()
        Delivery.objects.update(status="delivered", delivered_at=Now())

    def test_claims_by_index(self) -> None:
        plan = plan_of(claim)
        assert_by_index(plan)
        assert rows_read(plan) <= 5 * LIMIT

    def test_asks_by_index_whether_anything_is_due(self) -> None:
        # It asks for one row, and gets the plan.
        with plans() as found, suppress(TypeError):
            claiming.look(handlers=HANDLERS)
        [plan] = found
        assert_by_index(plan)
        assert rows_read(plan) <= 5 * LIMIT


class TestBesideAnOpenTransaction:
    """Nothing that was delivered since it began can be cleaned up."""

    @pytest.fixture(autouse=True)
    def _open_transaction(self) -> Iterator[None]:
        fill(FLOOD, due_in=-HOUR)
        with closing(connection.copy()) as other:
            other.set_autocommit(False)
            other.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT FROM outbox_delivery")
            Delivery.objects.update(status="delivered", delivered_at=Now())
            fill(LIMIT)
            vacuum()
            yield
            other.rollback()

    def test_claims_read_what_is_due_since_the_last_look(self) -> None:
        look = claiming.look(handlers=HANDLERS)
        with transaction.atomic():
            whole = plan_of(claim)
            transaction.set_rollback(True)
        plan = plan_of(partial(claim, look.since))
        assert_by_index(plan)
        assert rows_read(plan) == rows_read(whole) <= 5 * LIMIT
        # A few pages of the index for each handler; what was delivered is in some two hundred.
        assert of_the_queue(plan) <= 4 * len(HANDLERS)
        assert of_the_queue(whole) > of_the_queue(plan) + FLOOD / 100


class TestClaimed:
    """What follows a claim finds its rows by their index, however many others there are."""

    @pytest.fixture
    def claims(self) -> list[Claim]:
        fill(FLOOD, status="delivered")
        fill(FLOOD)
        vacuum()
        return claim()

    @pytest.mark.parametrize("name", ["settle", "retry", "wait", "renew", "release", "release of the dead"])
    def test_is_found_by_index(self, claims: list[Claim], name: str) -> None:
        dispatcher, ids = claims[0].claimed_by, [each.delivery_id for each in claims]
        statements: dict[str, Callable[[], object]] = {
            "settle": lambda: claiming.settle(*claims),
            "retry": lambda: claiming.retry(claims[0], delay=HOUR, error="no"),
            "wait": lambda: claiming.wait(claims[0], delay=HOUR, waits_for="t2", reason="not yet"),
            "renew": lambda: claiming.renew(dispatcher=dispatcher, delivery_ids=ids, lease=LEASE),
            "release": lambda: claiming.release(dispatcher=dispatcher, unrun=claims),
            "release of the dead": lambda: claiming.release(dispatcher=dispatcher),
        }
        plan = plan_of(statements[name])
        assert_by_index(plan)
        assert rows_read(plan) <= 3 * LIMIT
        assert Delivery.objects.count() == 2 * FLOOD
