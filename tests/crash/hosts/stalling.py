"""A message whose handler holds a lock and stalls on one host, beside the trials' messages."""

import socket
import sys
from dataclasses import dataclass
from time import sleep
from typing import ClassVar

from django.db import connection

from tests.crash.trial import messages
from tests.crash.trial.effects import take_effect
from tests.crash.trial.subscriptions import SUBSCRIPTIONS as TRIALS
from tickets_project.outbox.messages import Event
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

# Longer than it takes until others have the lock.
STALL_SECONDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledV1(Event):
    """Its handler takes a lock, and on one host keeps it for a while."""

    NAME: ClassVar[str] = "Stalled_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("trial", "number")

    number: int
    lock: int
    host: str


def stall(message: StalledV1) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [message.lock])
    if socket.gethostname() == message.host:
        sleep(STALL_SECONDS)
    take_effect("trial.stall", message.number)


SUBSCRIPTIONS = Subscriptions(
    *TRIALS,
    Subscription(StalledV1, "trial.stall", stall),
    declared_in=(messages, sys.modules[__name__]),
)
