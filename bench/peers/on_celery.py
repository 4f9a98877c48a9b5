"""Celery on Redis with two processes; tasks are acknowledged when done, results are not kept.

Redis keeps nothing on disk, and what is sent when the transaction commits is lost with the process that sends it: it
promises less than the others.
"""

import os

from bench.peers.django_settings import set_up_django

set_up_django()

from celery import Celery
from django.db import transaction

from bench.contending import answer, now
from bench.effects import take_effect

app = Celery("bench", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=64,
    worker_concurrency=2,
    worker_hijack_root_logger=False,
    # Or else it connects to the database anew for each task.
    CELERY_DB_REUSE_MAX=1_000_000,
)
task = app.task(name="count")(take_effect)


def install() -> None:
    """Do nothing: it has no tables."""


def enqueue(events: range) -> None:
    """Send one task per event."""
    app.control.purge()
    with app.producer_pool.acquire(block=True) as producer:
        for event in events:
            task.apply_async((event,), producer=producer)


def send(event: int) -> float:
    """Send the task of one event when its transaction commits."""
    with transaction.atomic():
        transaction.on_commit(lambda: task.delay(event))
        return now()


def work() -> None:
    """Run the worker with its two processes."""
    app.worker_main(["worker", "--pool=prefork", "--loglevel=WARNING", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    answer(install=install, enqueue=enqueue, send=send, work=work)
