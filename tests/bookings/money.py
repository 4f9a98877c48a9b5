"""Tickets and messages for the tests of receipts, refunds and tracker sheets, and what the gateway has of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.db import connection, transaction

import bookings.commands
import bookings.events.of_bookings
import bookings.events.of_tickets
import bookings.events.process
import tickets_project.notifications.commands
from bookings.events import TicketBookingConfirmedV1
from bookings.models import Ticket
from tests.working import deliver_due
from tickets_project.gateway import receipts
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery, Status
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Subscription, Subscriptions

Calls = Callable[..., list[dict[str, Any]]]
Fault = Callable[..., None]
UseTable = Callable[[Subscriptions], None]


def only(*subscriptions: Subscription[Any]) -> Subscriptions:
    """Return a table that knows the messages of bookings, and has these handlers alone."""
    return Subscriptions(
        *subscriptions,
        declared_in=(
            bookings.events.of_bookings,
            bookings.events.of_tickets,
            bookings.events.process,
            bookings.commands,
            tickets_project.notifications.commands,
        ),
    )


def confirmed(ticket: Ticket) -> TicketBookingConfirmedV1:
    """Return the message of a new ticket."""
    return TicketBookingConfirmedV1(
        ticket_id=str(ticket.id),
        customer_email=ticket.customer_email,
        price=ticket.price,
        booking_id=str(ticket.booking_id),
    )


def tell(*messages: Message) -> None:
    """Publish them, in one transaction."""
    with transaction.atomic():
        publish(*messages)


def deliver_now() -> None:
    """Deliver once all that is open and that nobody has in hand, due or not."""
    Delivery.objects.filter(status=Status.PENDING, claimed_by=None).update(available_at="2026-01-01T00:00:00Z")
    deliver_due()


def statuses() -> list[str]:
    """Return how each delivery stands, oldest first."""
    return list(Delivery.objects.order_by("id").values_list("status", flat=True))


@contextmanager
def meanwhile(task: Callable[[], object]) -> Iterator[Future[None]]:
    """Do it in another thread, with its own connection, which the end of the block waits for."""

    def run() -> None:
        try:
            task()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run)
        yield future
        future.result(30)


def wait_for(calls: Calls, operation: str) -> None:
    """Wait until a call of the operation has arrived."""
    deadline = monotonic() + 10
    while not calls(operation):
        assert monotonic() < deadline, f"nobody called {operation}"
        sleep(0.01)


def voided() -> list[bool]:
    """Return of each receipt upstream whether it is void."""
    return [receipt.voided for receipt in receipts.listing()]
