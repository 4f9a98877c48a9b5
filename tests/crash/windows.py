"""Windows: moments at which the work on a bundle is held, so that the worker can be killed in the midst of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from tests.journeys.bundles import Gateway
from tickets_project.outbox.models import Message

# Longer than anybody waits for an answer, in milliseconds.
_NEVER = 60_000

# What marks a delivery as delivered waits there, and what commits the mark waits there, while the test has the lock of
# that name. The handler's name is followed by the leg that it is about, if any.
_HOLD = """
    CREATE FUNCTION wait_at_window() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE leg text;
    BEGIN
        SELECT CASE
            WHEN payload->>'idempotency_key' LIKE '%%:inbound' OR inbound_flight_id IS NOT NULL THEN ' inbound'
            WHEN payload->>'idempotency_key' LIKE '%%:return' OR payload ? 'flight_id' THEN ' return'
            ELSE ''
        END INTO leg
        FROM outbox_message LEFT JOIN vip_bundles_vipbundle ON inbound_flight_id::text = payload->>'flight_id'
        WHERE outbox_message.id = NEW.message_id;
        PERFORM pg_advisory_xact_lock_shared(1, hashtext(TG_ARGV[0] || ' ' || NEW.handler || leg));
        RETURN NEW;
    END $$;
    CREATE TRIGGER wait_before_mark BEFORE UPDATE ON outbox_delivery
        FOR EACH ROW WHEN (NEW.status = 'delivered') EXECUTE FUNCTION wait_at_window('mark');
    CREATE CONSTRAINT TRIGGER wait_in_commit AFTER UPDATE ON outbox_delivery DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.status = 'delivered') EXECUTE FUNCTION wait_at_window('commit')
"""
_WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted AND classid = 1
        AND objid = (hashtext(%s)::bigint & 4294967295)::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def windows_in_database() -> Iterator[None]:
    """Let the worker wait in the database, at the moments that a test holds."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [])
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
        cursor.execute("DROP FUNCTION wait_at_window() CASCADE")


@dataclass(frozen=True, slots=True)
class InDatabase:
    """A delivery is about to be marked as delivered, or the mark and what goes with it is just being committed.

    Killed before the mark, all that the handler has stored is undone. Killed in the commit, all of it is stored, and
    nobody has heard of it.
    """

    moment: str
    handler: str
    leg: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.moment, self.handler, self.leg)))

    def open(self, _gateway: Gateway) -> None:
        _ask("SELECT pg_advisory_lock(1, hashtext(%s))", str(self))

    def is_reached(self, _gateway: Gateway) -> bool:
        return _ask(_WAITING, str(self)) > 0

    def close(self) -> None:
        _ask("SELECT pg_advisory_unlock(1, hashtext(%s))::int", str(self))


@dataclass(frozen=True, slots=True)
class AtService:
    """A service has received a call and does not answer; it has done its part already, or does not do it."""

    moment: str
    operation: str
    leg: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.moment, self.operation, self.leg)))

    @property
    def handler(self) -> str:
        """Return who calls."""
        return _CALLERS[self.operation]

    def open(self, gateway: Gateway) -> None:
        if self.leg == "return" and not Message.objects.filter(type="FlightBooked_v1").exists():
            # The call of the other leg comes first.
            gateway.fault(self.operation, delay_ms=1)
        gateway.fault(self.operation, delay_ms=_NEVER, **({"status": 500} if self.moment == "before" else {}))

    def is_reached(self, gateway: Gateway) -> bool:
        return gateway.faults_left() == 0

    def close(self) -> None:
        """Do nothing: who was to hear the answer is dead."""


_CALLERS = {
    "flights.book": "vip_bundles.book_flight",
    "taxis.book": "vip_bundles.book_taxi",
    "flights.cancel": "vip_bundles.cancel_flight",
    "receipts.issue": "bookings.issue_receipt",
    "receipts.void": "bookings.refund_ticket",
    "payments.refund": "bookings.refund_ticket",
}

Window = InDatabase | AtService


def _ask(statement: str, name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        [answer] = cursor.fetchone() or [0]
        return int(answer or 0)
