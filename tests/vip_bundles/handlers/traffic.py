"""A flight and a taxi: how each is booked and cancelled, and where that shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from tests.bookings.published import names, payload
from tests.working import deliver_due
from tickets_project.gateway import transportation
from tickets_project.outbox.messages import Command
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.subscriptions import Recording
from vip_bundles.commands import BookFlight, BookTaxi, CancelFlightTickets, CancelTaxi
from vip_bundles.handlers.transport import book_flight, book_taxi

FLIGHT = BookFlight(
    customer_email="ada@customers.example",
    to_flight_id="5f0c7b7e-4c4b-4c6b-9c0e-3a9d3c6c7e11",
    passengers=["Ada", "Bob", "Cid"],
    reference_id="bundle-1",
    idempotency_key="bundle-1:inbound",
)
TAXI = BookTaxi(
    customer_email="ada@customers.example",
    customer_name="Ada",
    number_of_passengers=3,
    reference_id="bundle-1",
    idempotency_key="bundle-1:taxi",
)
TROUBLES = [{"status": 500}, {"status": 503}, {"drop": "before"}, {"drop": "after"}, {"delay_ms": 4000}]
each_trouble = pytest.mark.parametrize("trouble", TROUBLES, ids=str)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """What books a flight, or a taxi, and where that shows."""

    command: BookFlight | BookTaxi
    handler: Callable[[Any], Recording]
    key: str
    operation: str
    booked: str
    failed: str
    upstream: Callable[[], list[str]]
    announced: Callable[[dict[str, Any]], list[str]]

    def announced_ids(self) -> list[str]:
        """Return what was booked, as the one event tells."""
        return self.announced(payload(self.booked))

    def deliver(self) -> None:
        deliver_now(self.key)

    def outcomes(self) -> list[str]:
        """Return the names of the events that tell what came of it."""
        return [name for name in names() if name in {self.booked, self.failed}]


def fly() -> list[str]:
    return transportation.book_flight(
        customer_email=FLIGHT.customer_email,
        flight_id=FLIGHT.to_flight_id,
        passenger_names=FLIGHT.passengers,
        reference_id=FLIGHT.reference_id,
        idempotency_key=FLIGHT.idempotency_key,
    )


def ride() -> str:
    return transportation.book_taxi(
        customer_email=TAXI.customer_email,
        passenger_name=TAXI.customer_name,
        number_of_passengers=TAXI.number_of_passengers,
        reference_id=TAXI.reference_id,
        idempotency_key=TAXI.idempotency_key,
    )


def flight_tickets() -> list[str]:
    return [ticket.ticket_id for ticket in transportation.flight_tickets()]


def taxis() -> list[str]:
    return [booking.booking_id for booking in transportation.taxi_bookings()]


BOOKINGS = [
    Booking(
        command=FLIGHT,
        handler=book_flight,
        key="vip_bundles.book_flight",
        operation="flights.book",
        booked="FlightBooked_v1",
        failed="FlightBookingFailed_v1",
        upstream=flight_tickets,
        announced=lambda event: list(event["flight_tickets_ids"]),
    ),
    Booking(
        command=TAXI,
        handler=book_taxi,
        key="vip_bundles.book_taxi",
        operation="taxis.book",
        booked="TaxiBooked_v1",
        failed="TaxiBookingFailed_v1",
        upstream=taxis,
        announced=lambda event: [event["taxi_booking_id"]],
    ),
]
each_booking = pytest.mark.parametrize("booking", BOOKINGS, ids=lambda booking: booking.operation)


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """What cancels three flight tickets, or a taxi, once they are booked."""

    key: str
    operation: str
    book: Callable[[], list[str]]
    command: Callable[[list[str]], Command]
    cancelled: Callable[[], list[bool]]

    def deliver(self) -> None:
        deliver_now(self.key)


CANCELLINGS = [
    Cancelling(
        key="vip_bundles.cancel_flight",
        operation="flights.cancel",
        book=fly,
        command=lambda ids: CancelFlightTickets(flight_ticket_id=ids, reference_id="bundle-1"),
        cancelled=lambda: [ticket.cancelled for ticket in transportation.flight_tickets()],
    ),
    Cancelling(
        key="vip_bundles.cancel_taxi",
        operation="taxis.cancel",
        book=lambda: [ride()],
        command=lambda ids: CancelTaxi(taxi_booking_id=ids[0], reference_id="bundle-1"),
        cancelled=lambda: [booking.cancelled for booking in transportation.taxi_bookings()],
    ),
]
each_cancelling = pytest.mark.parametrize("cancelling", CANCELLINGS, ids=lambda cancelling: cancelling.operation)


def deliver_now(key: str) -> None:
    """Deliver what is open for this handler, due or not."""
    Delivery.objects.filter(status=Status.PENDING).update(available_at="2026-01-01T00:00:00Z")
    deliver_due(key)


def standing(key: str) -> list[tuple[str, int]]:
    """Return how each delivery to this handler stands, and how often it was tried."""
    return list(Delivery.objects.filter(handler=key).order_by("id").values_list("status", "attempts"))


def keys(calls: list[dict[str, Any]]) -> set[str]:
    return {call["idempotency_key"] for call in calls}


def ids_in(calls: list[dict[str, Any]]) -> list[str]:
    return [call["path"].rpartition("/")[2] for call in calls]


@contextmanager
def refusing(message: str) -> Iterator[None]:
    """Let the database refuse to store messages of this name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON outbox_message FOR EACH ROW"
            f" WHEN (NEW.type = '{message}') EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


def open_transactions() -> int:
    """Count the transactions that other connections to this database have open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND xact_start IS NOT NULL"
        )
        return int(cursor.fetchone()[0])
