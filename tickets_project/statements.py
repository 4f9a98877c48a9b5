"""Statements that are planned once per connection, for those whose planning costs more than their running."""

from typing import Any

import psycopg
from django.db import connection


def run_prepared(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a statement with Django's errors and its log of queries, but with the values apart from the text.

    It is prepared from its sixth time on, unless PREPARED_STATEMENTS is off. Fit for statements that look into no table
    or find a row by its key: PostgreSQL keeps the plan until the tables' statistics are taken anew, and they may grow.

    :return: its rows by the names of their columns
    """
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrapped(cursor) as open_cursor:  # type: ignore[arg-type] # Django's stubs know its own cursors alone
        open_cursor.execute(sql, parameters)
        names = [column.name for column in open_cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in open_cursor.fetchall()] if names else []
