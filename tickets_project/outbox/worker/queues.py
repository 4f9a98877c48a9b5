"""A django-q2 queue for each supervised cluster.

What a supervisor asks of its cluster must not be taken by another one that shares the broker. Without a supervisor
the queue is the common one. Schedules stay common: django-q2 locks their rows.
"""

import os
from datetime import timedelta
from functools import cached_property
from typing import Any

import redis
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf

from tickets_project.outbox.worker.presence import CLUSTER
from tickets_project.redis_away import OPTIONS, Asking

_ABANDONED_AFTER = timedelta(hours=1)


class OrmQueue(ORM):  # type: ignore[misc] # django-q2 has no types
    """The queue in the database."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=os.environ.get(CLUSTER) or list_key)


class RedisQueue(Redis):  # type: ignore[misc] # likewise
    """The queue in Redis; while that is away, the one in the database stands in for it."""

    def __init__(self, list_key: str | None = None) -> None:
        self._name, self._redis = os.environ.get(CLUSTER) or list_key, Asking()
        super().__init__(list_key=self._name)

    @cached_property
    def _table(self) -> OrmQueue:
        return OrmQueue(self._name)

    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis:  # noqa: ARG004 - django-q2 passes it
        """Return a client that waits for nothing for long."""
        client: redis.Redis = redis.from_url(Conf.REDIS, **OPTIONS)
        return client

    def enqueue(self, task: str) -> int:
        """Add a task; a queue to which nothing was added for long is that of a cluster which was killed, and goes."""
        return self._redis.ask(lambda: self._push(task), otherwise=0) or int(self._table.enqueue(task))

    def _push(self, task: str) -> int:
        length: int = super().enqueue(task)
        self.connection.expire(self.list_key, _ABANDONED_AFTER)
        return length

    def dequeue(self) -> Any:
        """Take a task, waiting a little; when Redis is back, one may still be in the table."""
        return self._redis.ask(super().dequeue, otherwise=None) or self._table.dequeue()

    def acknowledge(self, task_id: int) -> None:
        """Forget a task that is done; Redis has forgotten its own when they were taken."""
        self._table.acknowledge(task_id)

    def fail(self, task_id: int | None) -> None:
        """Forget a task that cannot be read."""
        self._table.fail(task_id)

    def delete_queue(self) -> None:
        """Forget all tasks."""
        self._redis.ask(super().delete_queue, otherwise=0)
        self._table.delete_queue()

    def ping(self) -> bool:
        """Tell whether there is a queue, as there always is."""
        return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Show how the cluster is, for so many seconds."""
        self._redis.ask(lambda: super(RedisQueue, self).set_stat(key, value, timeout), otherwise=None)
