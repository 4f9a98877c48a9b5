"""publish(): store messages and their deliveries in the transaction of the change that they tell of."""

import json
from typing import Any

from django.db import connection
from uuid_utils.compat import uuid7

from tickets_project.correlation import Trace, current_trace
from tickets_project.outbox import models
from tickets_project.outbox.messages import Message
from tickets_project.outbox.subscriptions import Subscription, Subscriptions, subscriptions
from tickets_project.spans import Kind, span
from tickets_project.statements import run_prepared

CHANNEL = "outbox"

# One round trip stores the messages in their order, gives each subscribed handler its delivery, ends the waits for
# these aggregates, and wakes the dispatchers when the transaction commits. Rows come as JSON, since a list for each
# column takes the driver longer to write than the server needs for all of them.
_PUBLISH = """
    WITH message AS (
        INSERT INTO outbox_message (id, kind, type, aggregatetype, aggregateid, payload, headers)
        SELECT id, kind, type, aggregatetype, aggregateid, payload, headers
        FROM ROWS FROM (
            jsonb_to_recordset(%(messages)s::jsonb) AS (
                id uuid, kind text, type text, aggregatetype text, aggregateid text, payload jsonb, headers jsonb
            )
        ) WITH ORDINALITY AS new (id, kind, type, aggregatetype, aggregateid, payload, headers, position)
        ORDER BY position
        RETURNING id, sequence, aggregateid
    ), delivery AS (
        INSERT INTO outbox_delivery
            (message_id, sequence, handler, ordering_key, status, attempts, waits_for, last_error)
        SELECT message.id, message.sequence, new.handler, new.ordering_key, 'pending', 0, '', ''
        FROM jsonb_to_recordset(%(deliveries)s::jsonb) AS new (message_id uuid, handler text, ordering_key text)
        JOIN message ON message.id = new.message_id
        ORDER BY message.sequence
        RETURNING id
    )
    SELECT pg_notify(%(channel)s, '')
    FROM (
        SELECT outbox_end_waits(ARRAY(SELECT aggregateid FROM message)) AS ended,
            (SELECT count(*) FROM delivery) AS made
    ) AS due
    WHERE ended + made > 0
"""
_END_WAITS = "SELECT pg_notify(%s, '') WHERE outbox_end_waits(%s::text[]) > 0"


class NotInTransaction(Exception):
    """A message can only be published inside the transaction of its business change."""


class UndeclaredMessage(Exception):
    """The message's class is in none of the modules that the subscription table declares."""


def publish(*messages: Message) -> None:
    """Store the messages, in this order, with one delivery for each subscribed handler.

    :raises NotInTransaction: if no transaction is open
    :raises UndeclaredMessage: if the subscription table does not know a message
    """
    _require_transaction()
    table = subscriptions()
    for message in messages:
        if not table.declares(type(message)):
            raise UndeclaredMessage(f"Declare {type(message).__qualname__} in the subscription table.")
    with span(_span_name(messages), Kind.PRODUCER, {"messaging.batch.message_count": len(messages)}):
        _store(messages, table)


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise NotInTransaction("Open transaction.atomic() around the business change and what it publishes.")


def _span_name(messages: tuple[Message, ...]) -> str:
    types = {message.NAME for message in messages}
    return f"publish {types.pop()}" if len(types) == 1 else "publish"


def _store(messages: tuple[Message, ...], table: Subscriptions) -> None:
    trace = current_trace()
    rows = [_message_row(message, trace) for message in messages]
    deliveries = [_delivery(row, subscription) for row in rows for subscription in table.of(row["type"])]
    run_prepared(_PUBLISH, {"messages": json.dumps(rows), "deliveries": json.dumps(deliveries), "channel": CHANNEL})


def wake() -> None:
    """Call the dispatchers once the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def end_waits(*aggregate_ids: str) -> None:
    """Make due what waits for a message about these, for what it waits for has come in another way.

    :raises NotInTransaction: if no transaction is open
    """
    _require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_END_WAITS, [CHANNEL, list(aggregate_ids)])


def ordering_key(subscription: Subscription[Any], *, aggregatetype: str, aggregateid: str) -> str | None:
    """Return what an ordered subscription's deliveries of one aggregate have in common, None for an unordered one."""
    return f"{aggregatetype}:{aggregateid}" if subscription.ordered else None


def delivery_row(message: models.Message, subscription: Subscription[Any]) -> models.Delivery:
    """Return the unsaved delivery of a stored message to one handler."""
    key = ordering_key(subscription, aggregatetype=message.aggregatetype, aggregateid=message.aggregateid)
    return models.Delivery(message=message, handler=subscription.key, sequence=message.sequence, ordering_key=key)


def _message_row(message: Message, trace: Trace) -> dict[str, Any]:
    message_id = str(uuid7())
    headers = {
        "correlation_id": trace.correlation_id,
        "causation_id": trace.causation_id,
        "idempotency_key": message_id,
        "traceparent": trace.traceparent,
    }
    return {
        "id": message_id,
        "kind": message.KIND,
        "type": message.NAME,
        "aggregatetype": message.aggregate_type,
        "aggregateid": message.aggregate_id,
        "payload": message.payload(),
        "headers": headers,
    }


def _delivery(row: dict[str, Any], subscription: Subscription[Any]) -> dict[str, Any]:
    key = ordering_key(subscription, aggregatetype=row["aggregatetype"], aggregateid=row["aggregateid"])
    return {"message_id": row["id"], "handler": subscription.key, "ordering_key": key}
