"""What wakes a dispatcher: a published message, a finished thread, the end of its supervisor, or the clock."""

import os
import select
import socket
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

import psycopg
import structlog
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from tickets_project.outbox.publishing import CHANNEL

LIFELINE = "OUTBOX_LIFELINE"

log = structlog.get_logger(__name__)


class Supervision(StrEnum):
    """What the lifeline says of the supervisor."""

    PRESENT = "present"
    STOPPING = "stopping"
    GONE = "gone"


class Heard(StrEnum):
    """What ended a dispatcher's sleep."""

    BELL = "bell"
    MESSAGE = "message"
    CLOCK = "clock"


class Lifeline:
    """The pipe from the supervisor, inherited by every process of its cluster, and read by none.

    A byte in it asks to stop; its end tells that the supervisor died. Without the variable there is no supervisor.
    """

    def __init__(self) -> None:
        descriptor = os.environ.get(LIFELINE)
        self._poll = select.poll()
        if descriptor:
            self._poll.register(int(descriptor), select.POLLIN)

    def state(self) -> Supervision:
        """Return what the supervisor wants."""
        for _, event in self._poll.poll(0):
            return Supervision.STOPPING if event & select.POLLIN else Supervision.GONE
        return Supervision.PRESENT


class Bell:
    """Waits for whatever comes first; used as a context manager by one dispatcher, rung by its threads.

    It listens on a connection of its own, since a notification that arrives with the answer of another
    statement would be lost.
    """

    def __init__(self) -> None:
        self._inbox, self._button = socket.socketpair()
        self._inbox.setblocking(False)
        self._button.setblocking(False)
        self._listener: BaseDatabaseWrapper | None = None

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deafen()
        self._inbox.close()
        self._button.close()

    def ring(self) -> None:
        """End the present or the next wait; safe from any thread."""
        with suppress(BlockingIOError):
            self._button.send(b"!")

    def wait(self, seconds: float) -> Heard:
        """Sleep until a message is published, the bell rings, or the time is over."""
        if self._listener is None:
            self._listen()
        poll = select.poll()
        poll.register(self._inbox, select.POLLIN)
        if descriptor := os.environ.get(LIFELINE):
            poll.register(int(descriptor), select.POLLIN)
        if self._listener:
            poll.register(self._listener.connection.fileno(), select.POLLIN)
        woken_by = {descriptor for descriptor, _ in poll.poll(max(0, seconds) * 1000)}
        self._empty()
        if not woken_by:
            return Heard.CLOCK
        return Heard.BELL if woken_by == {self._inbox.fileno()} else Heard.MESSAGE

    def _empty(self) -> None:
        with suppress(BlockingIOError):
            self._inbox.recv(4096)
        if self._listener:
            try:
                list(self._listener.connection.notifies(timeout=0))
            except psycopg.Error:
                self._deafen()

    def _listen(self) -> None:
        listener = connection.copy()
        try:
            listener.ensure_connection()
            listener.connection.execute(f"LISTEN {CHANNEL}")
        except (DatabaseError, psycopg.Error) as error:
            log.warning("not listening, polling instead", error=str(error))
            listener.close()
        else:
            self._listener = listener

    def _deafen(self) -> None:
        if self._listener:
            self._listener.close()
        self._listener = None
