"""A statement that is planned once per connection, for publishing, whose planning costs more than its running.

Fit for statements that look into no table: the plan is kept, and a table that was small when it was made may grow.
"""

from typing import Any

import psycopg
from django.db import connection


def execute_prepared(sql: str, parameters: dict[str, Any]) -> None:
    """Run a statement with Django's errors and its log of queries, but with the values apart from the text.

    It is prepared from its sixth time on, unless PREPARED_STATEMENTS is off.
    """
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrapped(cursor) as open_cursor:  # type: ignore[arg-type] # Django's stubs know its own cursors alone
        open_cursor.execute(sql, parameters)
