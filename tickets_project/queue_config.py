"""How django-q2 is set up: a pool of processes and the schedules. What is delivered is decided in our own tables."""

from typing import Any


def queue_config(*, dispatchers: int, dispatch_seconds: int, redis_url: str) -> dict[str, Any]:
    """Return django-q2's Q_CLUSTER.

    :param dispatch_seconds: how long a dispatch task stays in its process
    :param redis_url: where the queue is; empty: in the database
    """
    return {
        "name": "tickets",
        "label": "Worker",
        # One process stays free for the schedules, since a dispatch task stays in its process.
        "workers": dispatchers + 1,
        "queue_limit": dispatchers + 2,
        "bulk": 1,
        "poll": 1,
        "timeout": dispatch_seconds + 60,
        "retry": dispatch_seconds + 120,
        "max_attempts": 1,
        "ack_failures": True,
        # Runs that went well leave no row; those that failed do, and a schedule deletes them after a month.
        "save_limit": -1,
        "catch_up": False,
        **({"redis": redis_url} if redis_url else {"orm": "default"}),
        "broker_class": f"tickets_project.outbox.worker.queues.{'RedisQueue' if redis_url else 'OrmQueue'}",
    }
