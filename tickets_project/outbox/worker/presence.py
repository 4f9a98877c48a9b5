"""Which dispatchers are at work: they say so themselves, and their supervisor buries the dead."""

import os
import socket
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import DATABASE_AWAY
from tickets_project.outbox.models import Dispatcher

CLUSTER = "OUTBOX_CLUSTER"
# Held from counting the dispatchers of a cluster until the next one is stored.
_PLACES = "SELECT pg_advisory_xact_lock(hashtext('outbox dispatchers'), hashtext(%s))"
_SILENCE = timedelta(seconds=30)

log = structlog.get_logger(__name__)


def cluster_name() -> str:
    """Return the cluster of this process: the supervisor's, or the parent process of a bare qcluster's workers."""
    return os.environ.get(CLUSTER) or f"{socket.gethostname()}:{os.getppid()}"


def at_work(*, within: timedelta = _SILENCE) -> QuerySet[Dispatcher]:
    """Return the dispatchers that were heard of within this time."""
    return Dispatcher.objects.filter(_is_heard(within))


def _is_heard(within: timedelta) -> Q:
    return Q(seen_at__gt=Now() - within)


def release_dead_dispatchers(cluster: str) -> set[UUID]:
    """Free the claims of the cluster's dispatchers whose process is gone; return those that are at work.

    A pid says something within one cluster alone: others may live in containers with the same host name.
    """
    working = set()
    is_heard = ExpressionWrapper(_is_heard(_SILENCE), BooleanField())
    for dispatcher in Dispatcher.objects.filter(cluster=cluster).annotate(is_heard=is_heard):
        if not _lives(dispatcher.pid):
            released = claiming.release(dispatcher=dispatcher.id)
            dispatcher.delete()
            log.warning("dispatcher died", pid=dispatcher.pid, released=released)
        elif dispatcher.is_heard:
            working.add(dispatcher.id)
    return working


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class NoPlace(Exception):
    """The cluster has dispatchers enough."""


class Presence:
    """The heartbeat of one dispatcher: a thread that renews its row and the leases of its claims."""

    def __init__(
        self, dispatcher: UUID, *, cluster: str, places: int, lease: timedelta, in_hand: Callable[[], list[int]]
    ) -> None:
        """Take what lists the deliveries whose leases are to be renewed; it is called in the heartbeat's thread.

        :param places: how many dispatchers the cluster may have
        """
        self._places = places
        self._row = Dispatcher(id=dispatcher, cluster=cluster, host=socket.gethostname(), pid=os.getpid())
        self._lease, self._in_hand = lease, in_hand
        self._over = Event()
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        """Take a place, and forget who is long silent in any cluster.

        :raises NoPlace: if there is none left
        """
        Dispatcher.objects.filter(seen_at__lte=Now() - 10 * _SILENCE).delete()
        with transaction.atomic():
            # Those that begin at once would all see the last place free.
            with connection.cursor() as cursor:
                cursor.execute(_PLACES, [self._row.cluster])
            if at_work().filter(cluster=self._row.cluster).count() >= self._places:
                raise NoPlace
            self._row.save(force_insert=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._row.delete()

    def _beat(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 4):
            try:
                if in_hand := self._in_hand():
                    claiming.renew(dispatcher=self._row.id, delivery_ids=in_hand, lease=self._lease)
                Dispatcher.objects.filter(id=self._row.id).update(seen_at=Now())
            except DATABASE_AWAY as error:
                log.warning("no heartbeat", error=str(error))
                connection.close()
        connection.close()
