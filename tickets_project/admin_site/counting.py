"""A paginator for tables of millions of rows, where counting costs more than everything else on the page."""

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class AboutSoMany(int):
    """A count that nobody has finished: the planner's estimate."""

    def __str__(self) -> str:
        return f"about {int(self)}"


class MoreThan(int):
    """A count that was stopped."""

    def __str__(self) -> str:
        return f"more than {int(self)}"


class EstimatedPaginator(Paginator[Any]):
    """Takes the planner's estimate for a whole table, and counts a filtered list no further than 400 pages of 25."""

    @cached_property
    def count(self) -> int:
        """Return how many rows the list is taken to have."""
        query = self.object_list.query  # type: ignore[union-attr] # the admin paginates querysets
        estimate = 0 if query.where else _estimate(query.model._meta.db_table)
        if estimate > MOST_COUNTED:
            return AboutSoMany(estimate)
        counted: int = self.object_list.order_by()[: MOST_COUNTED + 1].count()  # type: ignore[union-attr]
        return counted if counted <= MOST_COUNTED else MoreThan(MOST_COUNTED)


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [f'"{table}"'])
        row: tuple[int] = cursor.fetchone()
        return row[0]
