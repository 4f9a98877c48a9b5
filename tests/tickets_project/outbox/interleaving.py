"""Sessions on one database that go on in every order, a statement at a time.

A session does its work in a thread with a connection of its own. It stands still before each transaction, and within
one after each statement that reads one delivery, or locks or changes deliveries or messages. Which of those that stand
still goes on is a choice, and each choice is made in turn. One that waits for a lock waits until another lets it go.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Any

from django.db import connection
from psycopg.pq import TransactionStatus

Work = Callable[[], Any]

_CHANGES = re.compile(r"(?=.*\b(INSERT|UPDATE|DELETE)\b).*outbox_(delivery|message)\b", re.DOTALL)
_READS_ONE = re.compile(r'SELECT .* FROM "outbox_delivery" WHERE "outbox_delivery"\."id" = ', re.DOTALL)
_LONGEST_STEP = 30


class Session:
    """A thread that does one piece of work after another, from stop to stop."""

    def __init__(self) -> None:
        self._works: SimpleQueue[Work | None] = SimpleQueue()
        self._may_go, self._is_still = Event(), Event()
        self.pid = 0
        self.is_over, self._is_leaving = True, False
        self.answer: Any = None
        self.sql = ""
        self._thread = Thread(target=self._live, daemon=True)
        self._thread.start()

    def begin(self, work: Work) -> None:
        """Go to the first stop of the work."""
        self.is_over, self.answer = False, None
        self._is_still.clear()
        self._works.put(work)

    def go_on(self) -> None:
        self._is_still.clear()
        self._may_go.set()

    def stands_still(self, *, within: float = 0) -> bool:
        return self._is_still.wait(within)

    def leave(self) -> None:
        """Stop no more, and end the thread after what it is about to do."""
        self._is_leaving = True
        self._may_go.set()
        self._works.put(None)

    def join(self) -> None:
        self._thread.join(_LONGEST_STEP)

    def _live(self) -> None:
        while work := self._works.get():
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
            with connection.execute_wrapper(self._statement):
                self.pid = connection.connection.info.backend_pid
                try:
                    self.answer = work()
                except BaseException as error:  # noqa: BLE001 - the test looks at it
                    self.answer = error
                self.is_over = True
                self._is_still.set()
        connection.close()

    def _statement(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        changes, is_first = bool(_CHANGES.match(sql)), not _has_begun()
        if is_first and (changes or connection.in_atomic_block):
            self._stop()
        self.sql = sql
        try:
            return execute(sql, *arguments)
        finally:
            # What was only read may be stale when it is acted upon.
            if (changes or _READS_ONE.match(sql)) and connection.in_atomic_block:
                self._stop()

    def _stop(self) -> None:
        self._may_go.clear()
        self._is_still.set()
        if not self._is_leaving:
            self._may_go.wait()


def _has_begun() -> bool:
    return bool(connection.connection.info.transaction_status != TransactionStatus.IDLE)


def every_order(
    begin: Callable[[], Sequence[Work]], *, sessions: int = 2, at_once: Collection[str] = ()
) -> Iterator[list[Any]]:
    """Yield what the sessions answered, or raised, in each order.

    :param begin: sets the stage anew, and returns what each session is to do
    :param at_once: the statements that must wait for no other session
    """
    with _at_work(sessions) as all_:
        choices: list[int] = []
        while True:
            taken = _run(all_, begin(), choices, at_once)
            yield [session.answer for session in all_]
            while taken and taken[-1][0] + 1 == taken[-1][1]:
                taken.pop()
            if not taken:
                return
            choices = [choice for choice, _ in taken]
            choices[-1] += 1


@contextmanager
def _at_work(count: int) -> Iterator[list[Session]]:
    sessions = [Session() for _ in range(count)]
    try:
        yield sessions
    finally:
        # All at first, for one may wait for another.
        for session in sessions:
            session.leave()
        for session in sessions:
            session.join()


def _run(
    sessions: list[Session], works: Sequence[Work], choices: list[int], at_once: Collection[str]
) -> list[tuple[int, int]]:
    """Make these choices, and the first one from then on; return each choice with the number of those there were."""
    for session, work in zip(sessions, works, strict=True):
        session.begin(work)
        assert session.stands_still(within=_LONGEST_STEP)
    taken: list[tuple[int, int]] = []
    while free := [session for session in sessions if session.stands_still() and not session.is_over]:
        choice = choices[len(taken)] if len(taken) < len(choices) else 0
        taken.append((choice, len(free)))
        free[choice].go_on()
        waiting = _when_all_stand_still(sessions)
        assert not {session.sql for session in waiting} & {*at_once}, "it waits for another session"
    return taken


def _when_all_stand_still(sessions: list[Session]) -> list[Session]:
    """Return once each is at a stop, or over, or waits for another while one can go on: which of them wait."""
    over_at = monotonic() + _LONGEST_STEP
    while moving := [session for session in sessions if not session.stands_still(within=0.001)]:
        can_go_on = any(session.stands_still() and not session.is_over for session in sessions)
        if can_go_on and all(_waits(session, sessions) for session in moving):
            return moving
        assert monotonic() < over_at, "a session neither goes on nor waits for another"
    return []


def _waits(session: Session, sessions: list[Session]) -> bool:
    """Tell whether it waits for a lock of another one, for the server's own processes have locks, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_blocking_pids(%s) && %s::int[]", [session.pid, [each.pid for each in sessions]])
        [waits] = cursor.fetchone()
        return bool(waits) and not session.stands_still()
