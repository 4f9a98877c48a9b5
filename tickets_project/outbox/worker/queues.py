"""A django-q2 queue for each supervised cluster.

What a supervisor asks of its cluster must not be taken by another one that shares the broker. Without a supervisor
the queue is the common one. Schedules stay common: django-q2 locks their rows.
"""

import os
from datetime import timedelta

from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis

from tickets_project.outbox.worker.presence import CLUSTER

_ABANDONED_AFTER = timedelta(hours=1)


class OrmQueue(ORM):  # type: ignore[misc] # django-q2 has no types
    """The queue in the database."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=os.environ.get(CLUSTER) or list_key)


class RedisQueue(Redis):  # type: ignore[misc] # likewise
    """The queue in Redis."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=os.environ.get(CLUSTER) or list_key)

    def enqueue(self, task: str) -> int:
        """Add a task; a queue to which nothing was added for long is that of a cluster which was killed, and goes."""
        length: int = super().enqueue(task)
        self.connection.expire(self.list_key, _ABANDONED_AFTER)
        return length
