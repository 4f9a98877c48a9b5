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
