"""A dispatcher at work in a thread of the test's own process, and something for it to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from django.db import connection, transaction

from tests.processes import eventually
from tests.tickets_project.outbox.messages_for_tests import Happened
from tickets_project.outbox.models import Delivery, Dispatcher, Status
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.worker.dispatching import Dispatching
from tickets_project.outbox.worker.waking import LIFELINE


@contextmanager
def dispatching(*, seconds: float = 20) -> Iterator[Thread]:
    """Dispatch in a thread until the end of the block, which closes the lifeline."""
    read, write = os.pipe()
    os.environ[LIFELINE] = str(read)
    dispatcher = Dispatching(seconds=seconds)

    def run() -> None:
        try:
            dispatcher.run()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    try:
        eventually(Dispatcher.objects.exists)
        yield thread
    finally:
        os.write(write, b"stop")
        thread.join(15)
        os.environ.pop(LIFELINE, None)
        os.close(read)
        os.close(write)
    assert not thread.is_alive()


def happen(count: int = 1) -> None:
    with transaction.atomic():
        publish(*(Happened(thing_id=f"t{number}", number=number) for number in range(count)))


def all_delivered() -> bool:
    return not Delivery.objects.exclude(status=Status.DELIVERED).exists()
