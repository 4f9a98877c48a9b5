"""publish(): store messages and their deliveries in the transaction of the change that they tell of."""

from typing import Any

from django.db import connection
from uuid_utils.compat import uuid7

from tickets_project.correlation import Trace, current_trace
from tickets_project.outbox import models
from tickets_project.outbox.messages import Message
from tickets_project.outbox.subscriptions import Subscription, subscriptions

CHANNEL = "outbox"

# One statement ends the waits for these aggregates and wakes the dispatchers when the transaction commits.
_WAKE = """
    WITH woken AS (
        UPDATE outbox_delivery SET available_at = statement_timestamp(), waits_for = ''
        WHERE id IN (
            SELECT id FROM outbox_delivery
            WHERE status = 'pending' AND waits_for <> '' AND waits_for = ANY(%s)
            FOR UPDATE SKIP LOCKED
        )
    )
    SELECT pg_notify(%s, '')
"""


class NotInTransaction(Exception):
    """A message can only be published inside the transaction of its business change."""


class UndeclaredMessage(Exception):
    """The message's class is in none of the modules that the subscription table declares."""


def publish(*messages: Message) -> None:
    """Store the messages, in this order, with one delivery for each subscribed handler.

    :raises NotInTransaction: if no transaction is open
    :raises UndeclaredMessage: if the subscription table does not know a message
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("Open transaction.atomic() around the business change and its publish().")
    table, trace = subscriptions(), current_trace()
    for message in messages:
        if not table.declares(type(message)):
            raise UndeclaredMessage(f"Declare {type(message).__qualname__} in the subscription table.")
    rows = models.Message.objects.bulk_create([_message_row(message, trace) for message in messages])
    models.Delivery.objects.bulk_create(
        [delivery_row(row, subscription) for row in rows for subscription in table.of(row.type)]
    )
    wake(*(row.aggregateid for row in rows))


def wake(*aggregate_ids: str) -> None:
    """End the waits for these aggregates, and call the dispatchers once the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, [list(aggregate_ids), CHANNEL])


def delivery_row(message: models.Message, subscription: Subscription[Any]) -> models.Delivery:
    """Return the unsaved delivery of a stored message to one handler."""
    return models.Delivery(
        message=message,
        handler=subscription.key,
        sequence=message.sequence,
        ordering_key=f"{message.aggregatetype}:{message.aggregateid}" if subscription.ordered else None,
    )


def _message_row(message: Message, trace: Trace) -> models.Message:
    message_id = uuid7()
    return models.Message(
        id=message_id,
        kind=message.KIND,
        type=message.NAME,
        aggregatetype=message.aggregate_type,
        aggregateid=message.aggregate_id,
        payload=message.payload(),
        headers={
            "correlation_id": trace.correlation_id,
            "causation_id": trace.causation_id,
            "idempotency_key": str(message_id),
            "traceparent": trace.traceparent,
        },
    )
