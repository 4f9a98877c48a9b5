"""The project on several hosts: a worker on each, and what the database knows of them."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from uuid import UUID

import psutil
from django.db import connection
from django.db.models import Max, QuerySet

from tests.crash.hosts.network import Host, Network
from tests.processes import eventually
from tickets_project.outbox.models import Delivery, Dispatcher, Status

DISPATCHERS = 2
# Runs a command as the first process of a container.
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


class Installation:
    """The hosts of one test; they are switched off at its end."""

    def __init__(self, network: Network, *, logs: Path, environment: dict[str, str]) -> None:
        self._network, self._logs = network, logs
        self._environment = environment
        self._stack = ExitStack()
        self._workers: dict[Host, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def hosts(self, *names: str, within: Sequence[str] = (), **environment: str) -> list[Host]:
        """Switch hosts on, each with a worker; returns when all of their dispatchers are at work.

        :param within: the command that runs the worker
        """
        hosts = [self._host(name) for name in names]
        self.run_workers(*hosts, within=within, **environment)
        return hosts

    def run_workers(self, *hosts: Host, within: Sequence[str] = (), **environment: str) -> None:
        """Start a worker on each, for the first time or again; returns when all of their dispatchers are at work."""
        known = list(Dispatcher.objects.values_list("id", flat=True))
        for host in hosts:
            output = self._stack.enter_context(self._log(host).open("a"))
            self._workers[host] = self.start(
                host, "manage.py", "run_worker", within=within, output=output, **environment
            )
        new = Dispatcher.objects.exclude(id__in=known)
        # More, when one that was at work has been relieved meanwhile.
        eventually(lambda: new.count() >= DISPATCHERS * len(hosts), seconds=120)

    def start(
        self, host: Host, *arguments: str, within: Sequence[str] = (), output: IO[str] | None = None, **more: str
    ) -> "subprocess.Popen[str]":
        """Run Python there, as part of the installation."""
        return host.start(*within, sys.executable, *arguments, output=output, **{**self._environment, **more})

    def log_of(self, host: Host) -> str:
        """Return what its worker has written."""
        return self._log(host).read_text()

    def worker_of(self, host: Host) -> psutil.Process:
        """Return the process of `run_worker`."""
        entered = psutil.Process(self._workers[host].pid).children(recursive=True)
        return next(process for process in entered if process.name().startswith("python"))

    def freeze(self, host: Host) -> None:
        """Stop all processes of its worker; its kernel goes on, and keeps their connections alive."""
        self._signal(host, signal.SIGSTOP)

    def thaw(self, host: Host) -> None:
        """Let them go on."""
        # `nsenter` has stopped with what it runs.
        self._workers[host].send_signal(signal.SIGCONT)
        self._signal(host, signal.SIGCONT)

    def _signal(self, host: Host, number: signal.Signals) -> None:
        worker = self.worker_of(host)
        for process in (worker, *worker.children(recursive=True)):
            process.send_signal(number)

    def _host(self, name: str) -> Host:
        host = self._network.host(name)
        self._stack.callback(host.power_off)
        return host

    def _log(self, host: Host) -> Path:
        return self._logs / f"{host.address}.log"


def dispatchers_of(host: Host) -> list[UUID]:
    """Return the dispatchers that are known there, alive or not."""
    return list(Dispatcher.objects.filter(host=host.name).values_list("id", flat=True))


def in_hand_of(**dispatchers: object) -> list[int]:
    """Return what these dispatchers have claimed and not settled."""
    return list(_claimed_by(**dispatchers).filter(status=Status.PENDING).values_list("id", flat=True))


def delivered_by(*, after: int = 0, **dispatchers: object) -> int:
    """Return how many of the deliveries that are newer than this one these dispatchers have made."""
    return _claimed_by(**dispatchers).filter(status=Status.DELIVERED, id__gt=after).count()


def newest_delivery() -> int:
    """Return the newest delivery; 0 when there is none."""
    return Delivery.objects.aggregate(newest=Max("id"))["newest"] or 0


def last_delivered_at(deliveries: list[int]) -> datetime:
    """Return when the last of them was made."""
    moment: datetime = Delivery.objects.filter(id__in=deliveries).aggregate(last=Max("delivered_at"))["last"]
    return moment


def connections_of(host: Host, *, application: str = "") -> int:
    """Return how many connections the database believes to have with a host."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s AND application_name = %s",
            [host.address, application],
        )
        return int(cursor.fetchone()[0])


def _claimed_by(**dispatchers: object) -> QuerySet[Delivery]:
    return Delivery.objects.filter(claimed_by__in=Dispatcher.objects.filter(**dispatchers).values("id"))
