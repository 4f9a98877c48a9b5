"""Claims: leases on due deliveries, in SQL.

A claim raises the number of attempts before the handler runs, so that a message which kills its worker is counted
too. Every statement that ends a claim is fenced: it changes nothing unless the claim is still the caller's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import DatabaseError, InterfaceError, connection

from tickets_project.outbox.models import Delivery

DATABASE_AWAY = (DatabaseError, InterfaceError)
"""What a statement raises when the database cannot be reached, among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One delivery that is this dispatcher's until its lease ends, with the message that it carries."""

    delivery_id: int
    claimed_by: UUID
    handler: str
    attempts: int
    # Nobody ended the claim before this one.
    orphaned: bool = False
    waiting_since: datetime | None
    claimed_at: datetime
    message_id: UUID
    type: str
    aggregate_id: str
    payload: dict[str, Any]
    headers: dict[str, Any]
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the queue has found."""

    is_due: bool
    # JSON, by handler: what was pending falls due then or later; not later than the look itself.
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a claim reads the queue: whole, and each handler alike, unless it is told otherwise."""

    # The handlers that get eight deliveries in their turn.
    urgent: Iterable[str] = ()
    # JSON, as a look gives it, since a value for each handler is dear: leave out what fell due before.
    since: str = "{}"


_WHOLE = Reading()

# Each handler's oldest due rows, dealt out in turn, so that one handler's flood keeps no other waiting; an urgent one
# has eight in its turn. An ordered row is due only when no earlier row of its key is open.
_CLAIM = """
    WITH candidates AS (
        SELECT row.id, row.orphaned,
            row_number() OVER (PARTITION BY row.handler ORDER BY row.available_at, row.id)
                / CASE WHEN row.handler = ANY(%(urgent)s) THEN 8.0 ELSE 1.0 END AS turn,
            row_number() OVER (PARTITION BY row.orphaned ORDER BY row.available_at, row.id) AS place
        FROM unnest(%(handlers)s::text[]) AS subscribed (handler)
        CROSS JOIN LATERAL (
            SELECT id, handler, available_at, claimed_until IS NOT NULL AS orphaned FROM outbox_delivery AS candidate
            WHERE candidate.handler = subscribed.handler
              AND candidate.status = 'pending'
              AND candidate.available_at
                BETWEEN coalesce((%(since)s::jsonb ->> subscribed.handler)::timestamptz, '-infinity')
                AND statement_timestamp()
              AND (candidate.ordering_key IS NULL OR NOT EXISTS (
                  SELECT FROM outbox_delivery AS earlier
                  WHERE earlier.handler = candidate.handler
                    AND earlier.ordering_key = candidate.ordering_key
                    AND earlier.sequence < candidate.sequence
                    AND earlier.status IN ('pending', 'parked')
              ))
            ORDER BY candidate.available_at, candidate.id
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ) AS row
    ), due AS (
        -- Whose claim nobody ended may have killed who had it: one of them at a time, so that no other dies with it.
        SELECT id, orphaned FROM candidates WHERE place = 1 OR NOT orphaned ORDER BY turn, id LIMIT %(limit)s
    )
    UPDATE outbox_delivery AS delivery
    SET attempts = attempts + 1,
        claimed_by = %(dispatcher)s,
        claimed_until = statement_timestamp() + %(lease)s,
        available_at = statement_timestamp() + %(lease)s,
        waits_for = ''
    FROM due, outbox_message AS message
    WHERE delivery.id = due.id AND message.id = delivery.message_id
    RETURNING delivery.id, delivery.claimed_by, delivery.handler, delivery.attempts, due.orphaned,
        delivery.waiting_since, statement_timestamp(), message.id, message.type, message.aggregateid,
        message.payload::text, message.headers::text, message.published_at
"""
_LOOK = """
    SELECT coalesce(bool_or(oldest.available_at <= statement_timestamp()), false),
        jsonb_object_agg(handler, least(oldest.available_at, statement_timestamp()) - %(margin)s)::text
    FROM unnest(%(handlers)s::text[]) AS subscribed (handler)
    LEFT JOIN LATERAL (
        SELECT available_at FROM outbox_delivery AS candidate
        WHERE candidate.handler = subscribed.handler AND candidate.status = 'pending'
        -- In the order of the index, or the planner reads the whole table for the one row.
        ORDER BY candidate.available_at
        LIMIT 1
    ) AS oldest ON true
"""
_RENEW = """
    UPDATE outbox_delivery
    SET claimed_until = statement_timestamp() + %(lease)s, available_at = statement_timestamp() + %(lease)s
    WHERE id IN (
        -- A locked row is being settled at this moment.
        SELECT id FROM outbox_delivery
        WHERE id = ANY(%(ids)s) AND claimed_by = %(dispatcher)s AND status = 'pending'
        FOR UPDATE SKIP LOCKED
    )
"""
_RELEASE = """
    UPDATE outbox_delivery
    SET claimed_by = NULL, claimed_until = CASE %(unrun)s WHEN 0 THEN statement_timestamp() END,
        available_at = statement_timestamp(), attempts = attempts - %(unrun)s
    WHERE claimed_by = %(dispatcher)s AND status = 'pending' AND (
        %(ids)s::bigint[] IS NULL
        OR (id, attempts) IN (SELECT * FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]))
    )
"""
# The concatenation keeps out the index of pending rows, which the planner takes for tiny: while an old snapshot is
# open, it has an entry for each row that was ever pending. These rows are found by their ids.
_SETTLE = """
    UPDATE outbox_delivery AS delivery
    SET status = 'delivered', delivered_at = statement_timestamp(), claimed_until = NULL, waiting_since = NULL
    FROM unnest(%s::bigint[], %s::uuid[], %s::int[]) AS claim (id, claimed_by, attempts)
    WHERE delivery.id = claim.id AND delivery.claimed_by = claim.claimed_by AND delivery.attempts = claim.attempts
        AND delivery.status || '' = 'pending'
"""
_RETRY = """
    UPDATE outbox_delivery
    SET claimed_by = NULL, claimed_until = NULL, waiting_since = NULL, last_error = %(error)s,
        status = CASE WHEN %(delay)s::interval IS NULL THEN 'parked' ELSE 'pending' END,
        available_at = statement_timestamp() + coalesce(%(delay)s, interval '0')
    WHERE id = %(id)s AND claimed_by = %(dispatcher)s AND attempts = %(attempts)s AND status = 'pending'
"""
_WAIT = """
    UPDATE outbox_delivery
    SET claimed_by = NULL, claimed_until = NULL, last_error = %(reason)s, attempts = attempts - 1,
        waiting_since = coalesce(waiting_since, statement_timestamp()), waits_for = %(waits_for)s,
        available_at = statement_timestamp() + %(delay)s
    WHERE id = %(id)s AND claimed_by = %(dispatcher)s AND attempts = %(attempts)s AND status = 'pending'
"""


def claim(
    *, dispatcher: UUID, handlers: list[str], limit: int, lease: timedelta, reading: Reading = _WHOLE
) -> list[Claim]:
    """Claim up to `limit` due deliveries of these handlers, each in its turn; return them oldest first."""
    parameters: dict[str, Any] = {"handlers": handlers, "limit": limit, "dispatcher": dispatcher, "lease": lease}
    parameters["urgent"] = list(reading.urgent)
    parameters["since"] = reading.since
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        return sorted(map(_claim, cursor.fetchall()), key=lambda claim: claim.delivery_id)


def settle(*claims: Claim) -> bool:
    """Mark the deliveries delivered; False when a claim was lost, and then nothing may be committed."""
    tokens = zip(*((claim.delivery_id, claim.claimed_by, claim.attempts) for claim in claims), strict=True)
    return _execute(_SETTLE, [list(column) for column in tokens]) == len(claims)


def retry(claim: Claim, *, delay: timedelta | None, error: str) -> bool:
    """Give the claim up after a failure: due again after the delay, or parked when it is None."""
    return _execute(_RETRY, _token(claim) | {"delay": delay, "error": error}) == 1


def wait(claim: Claim, *, delay: timedelta, waits_for: str, reason: str) -> bool:
    """Give the claim up until a message for that aggregate arrives, or the delay is over; no attempt is spent."""
    return _execute(_WAIT, _token(claim) | {"delay": delay, "waits_for": waits_for, "reason": reason}) == 1


def renew(*, dispatcher: UUID, delivery_ids: list[int], lease: timedelta) -> None:
    """Start the leases of a dispatcher's claims on these deliveries anew."""
    _execute(_RENEW, {"dispatcher": dispatcher, "ids": delivery_ids, "lease": lease})


def release(*, dispatcher: UUID, unrun: Iterable[Claim] | None = None) -> int:
    """Make claims due at once for others: those that never ran, or all of a dispatcher that died.

    What never ran gets its attempt back; what a dead dispatcher held does not.
    """
    claims = None if unrun is None else list(unrun)
    ids = None if claims is None else [claim.delivery_id for claim in claims]
    attempts = [claim.attempts for claim in claims or ()]
    return _execute(
        _RELEASE, {"dispatcher": dispatcher, "ids": ids, "attempts": attempts, "unrun": 0 if ids is None else 1}
    )


def look(*, handlers: list[str], margin: timedelta = timedelta(0)) -> Look:
    """Tell whether a delivery of these handlers waits to be claimed, and since when, less the margin."""
    parameters: dict[str, Any] = {"handlers": handlers, "margin": margin}
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, parameters)
        is_due, since = cursor.fetchone()
    return Look(is_due=is_due, since=since or "{}")


def is_claimed(delivery: Delivery, *, at: datetime) -> bool:
    """Tell whether a handler may be running this delivery."""
    return delivery.status == "pending" and delivery.claimed_until is not None and delivery.claimed_until > at


def _token(claim: Claim) -> dict[str, Any]:
    return {"id": claim.delivery_id, "dispatcher": claim.claimed_by, "attempts": claim.attempts}


def _execute(sql: str, parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def _claim(row: tuple[Any, ...]) -> Claim:
    *plain, payload, headers, published_at = row
    fields = (
        "delivery_id",
        "claimed_by",
        "handler",
        "attempts",
        "orphaned",
        "waiting_since",
        "claimed_at",
        "message_id",
    )
    return Claim(
        **dict(zip((*fields, "type", "aggregate_id"), plain, strict=True)),
        payload=msgspec.json.decode(payload),
        headers=msgspec.json.decode(headers),
        published_at=published_at,
    )
