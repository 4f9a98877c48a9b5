"""The contender that is ours: the outbox, with the dispatchers of `run_worker`."""

import sys
from datetime import timedelta
from uuid import uuid4

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from bench.contending import answer, now
from bench.messages import CountedV1
from tickets_project.outbox.claiming import claim, settle
from tickets_project.outbox.publishing import publish

_TOGETHER = 500


def install() -> None:
    """Make the project's tables."""
    call_command("migrate", verbosity=0)


def enqueue(events: range) -> None:
    """Publish the events, in place of those of an earlier round."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE outbox_message CASCADE")
    add(events)


def add(events: range) -> None:
    """Publish the events, beside those of an earlier round."""
    for first in events[::_TOGETHER]:
        with transaction.atomic():
            publish(*(CountedV1(number=number) for number in range(first, min(first + _TOGETHER, events.stop))))


def churn(events: range) -> None:
    """Publish events, claim them and mark them delivered, without a handler: what ages the tables."""
    for first in events[::_TOGETHER]:
        add(range(first, min(first + _TOGETHER, events.stop)))
        claims = claim(dispatcher=uuid4(), handlers=["bench.count"], limit=_TOGETHER, lease=timedelta(seconds=10))
        settle(*claims)


def send(event: int) -> float:
    """Publish one event."""
    with transaction.atomic():
        publish(CountedV1(number=event))
        return now()


def work() -> None:
    """Run the worker."""
    call_command("run_worker")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["add", number]:
            add(range(int(number)))
        case ["churn", number]:
            churn(range(int(number)))
        case _:
            answer(install=install, enqueue=enqueue, send=send, work=work)
