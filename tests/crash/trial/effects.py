"""The rows that the handlers write: none is unique, so what is done twice shows as a second row."""

from collections import Counter

from django.db import connection

_TABLE = """
    CREATE TABLE trial_effect (
        id bigserial PRIMARY KEY,
        handler text NOT NULL,
        number bigint NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""

_SECONDS = """
    SELECT extract(epoch FROM at - published_at)
    FROM trial_effect JOIN outbox_message ON type = %s AND aggregateid = number::text
    WHERE handler = %s AND number >= %s AND number < %s
"""


def make_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)


def drop_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE trial_effect")


def take_effect(handler: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO trial_effect (handler, number) VALUES (%s, %s)", [handler, number])


def effects(handler: str) -> Counter[int]:
    """Return how often the handler took effect for each number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, count(*) FROM trial_effect WHERE handler = %s GROUP BY number", [handler])
        return Counter(dict(cursor.fetchall()))


def effects_so_far() -> int:
    """Return how many there are of all handlers, with those that were rolled back; quickly, however many there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM trial_effect")
        [number] = cursor.fetchone()
        return int(number)


def order_of_effects(handler: str) -> list[int]:
    """Return the numbers for which the handler took effect, in the order in which it did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM trial_effect WHERE handler = %s ORDER BY id", [handler])
        return [number for (number,) in cursor.fetchall()]


def seconds_until_effect(handler: str, message_type: str, numbers: range) -> list[float]:
    """Return how long after each of these messages was published the handler took effect."""
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS, [message_type, handler, numbers.start, numbers.stop])
        return [float(seconds) for (seconds,) in cursor.fetchall()]
