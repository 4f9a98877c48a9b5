"""The floor under what a dispatcher costs: the same statements on the same tables, in one bare loop.

A batch is claimed (SKIP LOCKED, a lease, an attempt), its rows are written one by one, and it is marked delivered.
There is no renewal, no retry, no order and no handler; what the outbox takes longer than this is ours to lower.
"""

import os
import signal
import sys
from time import sleep, time
from typing import Any
from uuid import uuid4

import psycopg

from bench.table import INSERT

_CLAIM = """
    UPDATE outbox_delivery AS delivery
    SET attempts = attempts + 1, claimed_by = %(worker)s,
        claimed_until = statement_timestamp() + interval '10 s', available_at = statement_timestamp() + interval '10 s'
    FROM (
        SELECT id, message_id FROM outbox_delivery
        WHERE handler = 'bench.count' AND status = 'pending' AND available_at <= statement_timestamp()
        ORDER BY available_at, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS due
    JOIN outbox_message AS message ON message.id = due.message_id
    WHERE delivery.id = due.id
    RETURNING delivery.id, (message.payload ->> 'number')::bigint
"""
_SETTLE = """
    UPDATE outbox_delivery
    SET status = 'delivered', delivered_at = statement_timestamp(), claimed_until = NULL
    WHERE id = ANY(%(ids)s) AND claimed_by = %(worker)s AND status = 'pending'
"""


def main() -> None:
    """Deliver in batches of the size that is the first argument, until SIGTERM."""
    batch = int(sys.argv[1])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    worker = uuid4()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while True:
            claimed = connection.execute(_CLAIM, {"worker": worker, "limit": batch}).fetchall()
            if claimed:
                _deliver(connection, claimed, worker=worker)
            else:
                sleep(0.05)


def _deliver(connection: "psycopg.Connection[Any]", claimed: list[tuple[int, int]], **worker: Any) -> None:
    with connection.transaction():
        for _, event in claimed:
            connection.execute(INSERT, {"event": event, "started_at": time()})
        connection.execute(_SETTLE, {"ids": [delivery for delivery, _ in claimed], **worker})


if __name__ == "__main__":
    main()
