"""The processes of a worker by what they do, so that a test can kill the one that it means."""

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil
from django.core.cache import CacheHandler
from django.db.models import QuerySet
from django_q.brokers import get_broker
from django_q.status import Stat

from tests.processes import cluster_processes
from tickets_project import settings as project
from tickets_project.outbox.models import Delivery, Dispatcher, Status

# Where clusters keep their statistics; tests have a cache of their own in its place.
_SHARED_CACHE = CacheHandler(project.CACHES)["default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The processes of one cluster, as its sentinel reports them twice a second."""

    main: int
    sentinel: int
    pusher: int
    monitor: int
    workers: frozenset[int]

    @classmethod
    def of(cls, supervisor: "subprocess.Popen[str]") -> Self | None:
        """Return the supervisor's cluster when all of its processes live, else None."""
        processes = _living(supervisor)
        for stat in _stats():
            cluster = cls(
                main=stat.pid,
                sentinel=stat.sentinel,
                pusher=stat.pusher,
                monitor=stat.monitor,
                workers=frozenset(stat.workers),
            )
            if cluster.pids() == processes:
                return cluster
        return None

    def pids(self) -> set[int]:
        return {self.main, self.sentinel, self.pusher, self.monitor, *self.workers}

    def dispatchers(self) -> set[int]:
        """Return the workers that have a dispatcher."""
        return self._at(Dispatcher.objects.all())

    def busy(self) -> set[int]:
        """Return the workers that have deliveries in hand."""
        claims = Delivery.objects.filter(status=Status.PENDING, claimed_by__isnull=False)
        return self._at(Dispatcher.objects.filter(id__in=claims.values("claimed_by")))

    def idle(self) -> set[int]:
        return set(self.workers) - self.dispatchers()

    def _at(self, dispatchers: QuerySet[Dispatcher]) -> set[int]:
        return set(self.workers).intersection(dispatchers.values_list("pid", flat=True))


def _living(supervisor: "subprocess.Popen[str]") -> set[int]:
    with suppress(psutil.NoSuchProcess):
        return {process.pid for process in cluster_processes(supervisor) if process.status() != psutil.STATUS_ZOMBIE}
    return set()


def _stats() -> list[Stat]:
    broker = get_broker()
    broker.cache = _SHARED_CACHE
    return list(Stat.get_all(broker))
