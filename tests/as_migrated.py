"""The database as migrations leave it: what a test has committed goes away, and what it has changed comes back.

Django truncates all tables and sends post_migrate, which takes ten times as long, and leaves the next test without the
schedules that migrations have stored.
"""

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from tickets_project.audit.models import AuditEntry

_EMPTY = "SELECT '{0}' WHERE NOT EXISTS (TABLE {0})"
_FILLED = "SELECT '{0}' WHERE EXISTS (TABLE {0})"
_DIFFERENT = """
    SELECT '{0}' WHERE EXISTS (TABLE {0} EXCEPT TABLE as_migrated.{0})
        OR EXISTS (TABLE as_migrated.{0} EXCEPT TABLE {0})
"""
_COPY = "CREATE TABLE as_migrated.{0} AS TABLE {0}"
_CLEAR = "DELETE FROM {0}"
# Who flushes in a test makes the numbers begin anew.
_PUT_BACK = """
    DELETE FROM {0};
    INSERT INTO {0} TABLE as_migrated.{0};
    SELECT setval(pg_get_serial_sequence('{0}', 'id'), max(id)) FROM {0}
"""
# The audit trail lets nobody delete a row; since nothing refers to it, it can be truncated by itself.
_APPEND_ONLY = AuditEntry._meta.db_table


class MigratedRows:
    """What is stored when this is made, for the time after each test."""

    def __init__(self) -> None:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with transaction.atomic(), connection.cursor() as cursor:
            self._empty, self._filled = (_those(kind, tables, cursor) for kind in (_EMPTY, _FILLED))
            cursor.execute("DROP SCHEMA IF EXISTS as_migrated CASCADE; CREATE SCHEMA as_migrated")
            for table in self._filled:
                cursor.execute(_COPY.format(table))

    def restore(self) -> None:
        """Store that again, and nothing else.

        Whoever has a transaction open is waited for, so that it does not commit into the next test.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {', '.join(self._empty + self._filled)} IN ACCESS EXCLUSIVE MODE")
            for table in _those(_FILLED, self._empty, cursor):
                cursor.execute(f"TRUNCATE {table}" if table == _APPEND_ONLY else _CLEAR.format(table))
            for table in _those(_DIFFERENT, self._filled, cursor):
                cursor.execute(_PUT_BACK.format(table))
        ContentType.objects.clear_cache()


def _those(kind: str, tables: list[str], cursor: CursorWrapper) -> list[str]:
    """Return the tables that are of this kind."""
    cursor.execute(" UNION ALL ".join(kind.format(table) for table in tables))
    return [table for (table,) in cursor.fetchall()]
