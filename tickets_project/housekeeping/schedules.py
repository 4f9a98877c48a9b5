"""What the clock deletes: expired tokens, old results of tasks, and queues whose cluster is gone.

Sessions have no function here: their schedule runs Django's `clearsessions`.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import QuerySet
from django.utils import timezone
from django_q.models import OrmQ, Task
from knox.models import AuthToken

from tickets_project.outbox.worker.presence import at_work

BATCH = 1000
RESULTS_KEPT_FOR = timedelta(days=30)
ABANDONED_AFTER = timedelta(hours=1)
"""No task waits or runs for as long as this in a cluster that lives."""

log = structlog.get_logger(__name__)


def forget_expired_tokens_now() -> None:
    """Delete tokens at this moment."""
    forget_expired_tokens(at=timezone.now())


def forget_task_results_now() -> None:
    """Delete results at this moment."""
    forget_task_results(at=timezone.now())


def forget_abandoned_queues_now() -> None:
    """Delete queues at this moment."""
    forget_abandoned_queues(at=timezone.now())


def forget_expired_tokens(*, at: datetime) -> int:
    """Delete the API tokens that have expired; return how many.

    Knox deletes those of a user who comes again, and those of one who stays away are nobody's concern.
    """
    return _delete(AuthToken.objects.filter(expiry__lt=at))


def forget_task_results(*, at: datetime) -> int:
    """Delete what django-q2 stored about tasks that ended a month ago, which are those that failed; return how many."""
    return _delete(Task.objects.filter(stopped__lt=at - RESULTS_KEPT_FOR))


def forget_abandoned_queues(*, at: datetime) -> int:
    """Delete the tasks that clusters left in the database when they were killed; return how many.

    A supervised cluster has a queue under a name that never comes again, so nobody else would run them. Nothing is
    lost: a task says "dispatch now", or is one of a schedule that comes round again.
    """
    living = at_work().values("cluster")
    return _delete(OrmQ.objects.filter(lock__lt=at - ABANDONED_AFTER).exclude(key__in=living))


def _delete(rows: QuerySet[Any]) -> int:
    """Delete the rows in batches that commit by themselves."""
    count = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # Asked for again with the condition: a row may have changed meanwhile.
        count += rows.filter(pk__in=batch).delete()[0]
    log.info("forgotten", model=rows.model.__name__, rows=count)
    return count
