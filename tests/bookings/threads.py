"""Doing things at the same time, each in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

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
