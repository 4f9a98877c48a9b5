"""Writes of analytics."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tickets_project.analytics.models import Kind
from tickets_project.values import Money

# Those who count the same kind take turns: a transaction counts many messages, and two that met the same totals in
# another order would wait for each other. The turn lasts until the transaction ends.
_COUNT = """
    WITH turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended('analytics ' || %(kind)s, 0))
    ), counted AS (
        INSERT INTO analytics_countedmessage (message_id, kind)
        SELECT %(message_id)s::uuid, %(kind)s FROM turn
        ON CONFLICT DO NOTHING
        RETURNING kind
    )
    INSERT INTO analytics_dailytotal AS total (day, kind, currency, count, amount)
    SELECT %(day)s::date, kind, %(currency)s, 1, %(amount)s FROM counted
    ON CONFLICT (day, kind, currency) DO UPDATE
    SET count = total.count + 1, amount = total.amount + excluded.amount
"""
# Waits for the transactions that have counted. The tables stand in the order in which counting takes them.
_FORGET = "TRUNCATE analytics_countedmessage, analytics_dailytotal"
_LONGEST_WAIT = "SET LOCAL lock_timeout = '5s'"


def count(*, message_id: UUID, kind: Kind, on: date, money: Money | None) -> None:
    """Add the message to the day's total of a kind; the same message again adds nothing."""
    worth = money or Money(amount=Decimal(0), currency="")
    parameters: dict[str, Any] = {"message_id": message_id, "kind": kind.value, "day": on}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, parameters | {"currency": worth.currency, "amount": worth.amount})


@transaction.atomic
def forget_all() -> None:
    """Empty the totals, and forget which messages are in them.

    :raises OperationalError: if a transaction holds the tables for longer than five seconds
    """
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST_WAIT)
        cursor.execute(_FORGET)
