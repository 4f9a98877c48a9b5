"""Doing things at the same time, each in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection, transaction

from tests.processes import eventually
from tickets_project.refusals import DomainError

T = TypeVar("T")


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T | DomainError]:
    """Start the tasks together; return what each answered, or its refusal."""
    start = Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T | DomainError:
        try:
            connection.ensure_connection()
            start.wait(30)
            return task()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def once_it_waits(first: Callable[[], object], then: Callable[[], Any]) -> Any:
    """Do the first, and commit it when the other waits for its lock; return the other's answer, or its refusal."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(at_once, [then])
            eventually(_somebody_waits_for_a_lock)
        [answer] = waiting.result(30)
        return answer


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction the view stands still unless it is told.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND pid <> pg_backend_pid()"
        )
        return bool(cursor.rowcount)
