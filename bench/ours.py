"""The contender that is ours: the outbox, with the dispatchers of `run_worker`."""

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from bench.contending import answer, now
from bench.messages import CountedV1
from tickets_project.outbox.publishing import publish

_TOGETHER = 500


def install() -> None:
    """Make the project's tables."""
    call_command("migrate", verbosity=0)


def enqueue(events: range) -> None:
    """Publish the events, in place of those of an earlier round."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE outbox_message CASCADE")
    for first in events[::_TOGETHER]:
        with transaction.atomic():
            publish(*(CountedV1(number=number) for number in events[first : first + _TOGETHER]))


def send(event: int) -> float:
    """Publish one event."""
    with transaction.atomic():
        publish(CountedV1(number=event))
        return now()


def work() -> None:
    """Run the worker."""
    call_command("run_worker")


if __name__ == "__main__":
    answer(install=install, enqueue=enqueue, send=send, work=work)
