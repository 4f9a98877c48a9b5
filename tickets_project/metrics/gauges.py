"""What the database says at the moment of a scrape: each number is read from an index, and none is counted for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tickets_project.outbox.subscriptions import subscriptions
from tickets_project.outbox.worker.presence import at_work
from vip_bundles.models import VipBundle

MOST_COUNTED = 100_000
_LONGEST = "5s"

# Per handler: the first due entry of the queue's index, and how many entries there are. A handler that is no longer in
# the table may have left some, which nobody takes.
_PENDING = """
    WITH RECURSIVE waiting (handler) AS (
        (SELECT handler FROM outbox_delivery WHERE status = 'pending' ORDER BY handler LIMIT 1)
        UNION ALL
        SELECT (
            SELECT delivery.handler FROM outbox_delivery AS delivery
            WHERE delivery.status = 'pending' AND delivery.handler > waiting.handler
            ORDER BY delivery.handler LIMIT 1
        )
        FROM waiting WHERE waiting.handler IS NOT NULL
    ), known (handler) AS (
        SELECT unnest(%(handlers)s::text[]) UNION SELECT handler FROM waiting WHERE handler IS NOT NULL
    )
    SELECT known.handler, pending.count,
        coalesce(extract(epoch FROM statement_timestamp() - oldest.available_at), 0)::float8
    FROM known
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT FROM outbox_delivery AS delivery
            WHERE delivery.handler = known.handler AND delivery.status = 'pending'
            LIMIT %(most)s
        ) AS counted
    ) AS pending
    LEFT JOIN LATERAL (
        SELECT delivery.available_at FROM outbox_delivery AS delivery
        WHERE delivery.handler = known.handler AND delivery.status = 'pending'
            AND delivery.available_at <= statement_timestamp()
        ORDER BY delivery.available_at, delivery.id
        LIMIT 1
    ) AS oldest ON true
"""
_PARKED = """
    SELECT handler, count(*) FROM (
        SELECT handler FROM outbox_delivery WHERE status = 'parked' ORDER BY id LIMIT %(most)s
    ) AS parked
    GROUP BY handler
"""
# django-q2 keeps the results of failed runs alone.
_SCHEDULES = """
    SELECT schedule.name, greatest(0, extract(epoch FROM statement_timestamp() - schedule.next_run))::float8,
        EXISTS (SELECT FROM django_q_task AS failed WHERE failed.id = schedule.task AND NOT failed.success)
    FROM django_q_schedule AS schedule
    WHERE schedule.name IS NOT NULL AND schedule.repeats <> 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read at one moment; the age of a handler's oldest due delivery is 0 when none is due."""

    pending: dict[str, int]
    oldest_due_seconds: dict[str, float]
    parked: dict[str, int]
    dispatchers: int
    stuck_bundles: int
    overdue_seconds: dict[str, float]
    failing: dict[str, bool]


def read() -> Reading:
    """Ask the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_LONGEST])
        handlers = [entry.key for entry in subscriptions()]
        cursor.execute(_PENDING, {"handlers": handlers, "most": MOST_COUNTED})
        pending = cursor.fetchall()
        cursor.execute(_PARKED, {"most": MOST_COUNTED})
        parked = cursor.fetchall()
        cursor.execute(_SCHEDULES)
        schedules = cursor.fetchall()
        return Reading(
            pending={handler: count for handler, count, _ in pending},
            oldest_due_seconds={handler: seconds for handler, _, seconds in pending},
            parked=dict.fromkeys(handlers, 0) | dict(parked),
            overdue_seconds={name: seconds for name, seconds, _ in schedules},
            failing={name: is_failing for name, _, is_failing in schedules},
            dispatchers=at_work().count(),
            stuck_bundles=VipBundle.objects.filter(stuck_at__isnull=False)[:MOST_COUNTED].count(),
        )


class DatabaseGauges(Collector):
    """The gauges of one scrape; without a database only the one that says so."""

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        try:
            reading = read()
        except (DatabaseError, InterfaceError):
            connection.close()
            yield _gauge("database_up", "Whether the database answers.", 0)
        else:
            yield _gauge("database_up", "Whether the database answers.", 1)
            yield from _gauges(reading)


def _gauges(reading: Reading) -> Iterator[Metric]:
    late = reading.oldest_due_seconds
    yield _by("handler", "outbox_pending_deliveries", f"Not delivered yet, up to {MOST_COUNTED}.", reading.pending)
    yield _by("handler", "outbox_parked_deliveries", "Given up, for a person to look at.", reading.parked)
    yield _by("handler", "outbox_oldest_due_delivery_age_seconds", "For how long nobody took what is due.", late)
    yield _gauge("outbox_lag_seconds", "The age of the oldest due delivery of all.", max(late.values(), default=0))
    yield _gauge("outbox_parked", "Deliveries given up, of all handlers.", sum(reading.parked.values()))
    yield _gauge("outbox_dispatchers", "Dispatchers heard of lately, on all hosts.", reading.dispatchers)
    yield _gauge("vip_bundles_stuck", "VIP bundles that have not ended in time.", reading.stuck_bundles)
    yield _by("schedule", "schedule_overdue_seconds", "For how long it should have begun.", reading.overdue_seconds)
    yield _by("schedule", "schedule_failing", "Whether its latest run failed.", reading.failing)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _by(label: str, name: str, meaning: str, values: dict[str, Any]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for labelled, value in sorted(values.items()):
        family.add_metric([labelled], value)
    return family
