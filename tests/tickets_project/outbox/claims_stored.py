"""What the database says of deliveries, held against the model; and moving its time, which nobody can wait for."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from tests.tickets_project.outbox.claims_model import Model
from tests.tickets_project.outbox.claims_rows import ModelDelivery
from tickets_project.outbox.models import Delivery, Intervention, Message

_ROWS = """
    SELECT delivery.handler, (message.payload->>'number')::int, delivery.sequence = message.sequence, delivery.status,
        delivery.attempts, delivery.available_at <= statement_timestamp(),
        delivery.claimed_until > statement_timestamp(), delivery.claimed_by, delivery.waits_for,
        (extract(epoch FROM statement_timestamp() - delivery.waiting_since) / 3600)::int
    FROM outbox_delivery AS delivery JOIN outbox_message AS message ON message.id = delivery.message_id
"""
_NUMBER = "message__payload__number"
_EFFECTS = "SELECT handler, number, count(*) FROM trial_effect GROUP BY handler, number"
_PASS = """
    UPDATE outbox_delivery
    SET available_at = available_at - %(time)s::interval, claimed_until = claimed_until - %(time)s::interval,
        waiting_since = waiting_since - %(time)s::interval, delivered_at = delivered_at - %(time)s::interval
"""
_STRETCH = """
    UPDATE outbox_delivery SET available_at = statement_timestamp() + interval '1 hour'
    WHERE id = %s AND available_at <= statement_timestamp() + interval '5 s'
"""


def pass_hours(hours: int) -> None:
    """Move the past away, by so many hours."""
    with connection.cursor() as cursor:
        cursor.execute(_PASS, {"time": f"{hours} hours"})


def earlier(since: str, time: timedelta) -> str:
    """Move away likewise what a look has told."""
    moments = {handler: datetime.fromisoformat(at) - time for handler, at in json.loads(since).items()}
    return json.dumps({handler: at.isoformat() for handler, at in moments.items()})


def learn_ids(model: Model) -> None:
    """Tell the model what the database has numbered."""
    ids = {(key, number): pk for key, number, pk in Delivery.objects.values_list("handler", _NUMBER, "id")}
    for each in model.deliveries:
        each.id = ids[each.name]


def stretch_wait(delivery_id: int) -> None:
    """Make an hour of the moment that a delivery waits which was told NotYet, so that only a message ends it sooner."""
    with connection.cursor() as cursor:
        cursor.execute(_STRETCH, [delivery_id])
        assert cursor.rowcount == 1, "it is asked again within five seconds"


def assert_rows_agree(model: Model, dispatchers: dict[str, UUID]) -> None:
    """Assert that no delivery is lost and each is where the model says, with as many effects."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS)
        stored = {row[:2]: _told(row[2:]) for row in cursor.fetchall()}
        cursor.execute(_EFFECTS)
        effects = Counter({(key, number): count for key, number, count in cursor.fetchall()})
    assert stored == {each.name: _expected(model, each, dispatchers) for each in model.deliveries}
    assert effects == model.effects


def _told(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out what means nothing once a delivery is closed; its lease has ended with its claim."""
    return row if row[1] == "pending" else (*row[:3], row[4])


def _expected(model: Model, each: ModelDelivery, dispatchers: dict[str, UUID]) -> tuple[Any, ...]:
    is_due = each.due[0] <= model.now
    is_leased = each.is_leased(model.now) if each.is_orphaned else None
    holder = dispatchers[each.holder] if each.holder else None
    waited = None if each.waiting_since is None else model.now - each.waiting_since
    return _told((True, each.status, each.attempts, is_due, is_leased, holder, each.waits_for, waited))


def assert_on_record(model: Model) -> None:
    """Assert that the messages are those which were published, and that what people did is recorded."""
    assert set(Message.objects.values_list("payload__number", flat=True)) == model.things.keys()
    done = Intervention.objects.values_list("delivery__handler", f"delivery__{_NUMBER}", "action")
    assert Counter(done) == model.interventions


def assert_took_effect_once(effects: Counter[tuple[str, int]]) -> None:
    """Assert, whatever the model says, that what is delivered took effect, once for each time that it was opened."""
    replays = Count("interventions", filter=Q(interventions__action="replayed"))
    rows = Delivery.objects.annotate(replays=replays).values_list("handler", _NUMBER, "status", "replays")
    for key, number, status, replayed in rows:
        done = status == "delivered"
        assert done <= effects[key, number] <= done + replayed
