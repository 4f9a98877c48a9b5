"""What the database says after a life cycle, held against the model."""

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

from bookings.models import Booking, Refund, Show, Ticket
from tests.bookings.life_cycle_model import Model
from tests.bookings.life_cycle_rows import ModelBooking
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message


def money(cents: int) -> Decimal:
    return Decimal(cents) / 100


def assert_rows_agree(model: Model) -> None:
    """Assert that states, seats, times and money are the model's, and add up."""
    assert dict(Show.objects.values_list("id", "seats_held")) == {show.id: show.held for show in model.shows}
    assert all(0 <= show.held <= show.seats for show in model.shows)
    assert _rows_of(Booking, "status", "seats_held", "start_time", "refund_amount") == {
        each.id: (each.status, each.held, each.show.start, _refunded(each)) for each in model.bookings
    }
    assert _rows_of(Ticket, "status", "valid_from", "valid_until") == {
        each.id: (each.status, *(each.valid or (None, None))) for each in model.tickets
    }
    assert Counter(Refund.objects.values_list("booking_id", "status", "amount")) == Counter(
        (booking.id, refund.status, money(refund.amount)) for booking in model.bookings for refund in booking.refunds
    )
    assert all(0 <= booking.left <= booking.paid for booking in model.bookings)


def assert_told_once(model: Model, requests: Counter[str]) -> None:
    """Assert that each change, request and command was published as often as it happened."""
    told = Counter(Message.objects.values_list("type", "aggregateid"))
    for booking in model.bookings:
        assert _changes(told, "booking", booking.id) == Counter(booking.told)
    for ticket in model.tickets:
        assert _changes(told, "ticket", ticket.id) == Counter(["created", *ticket.told])
        assert told["RefundTicket", str(ticket.id)] == ticket.commands
    for name, count in requests.items():
        assert sum(number for (kind, _), number in told.items() if kind == name) == count


def assert_recorded_in_order() -> None:
    """Assert that the audit trail of each row is one chain of moves, and ends where the row stands."""
    stood: dict[str, str] = {}
    entries = AuditEntry.objects.exclude(new="").order_by("id")
    for subject, old, new in entries.values_list("subject_id", "old", "new"):
        # A ticket's first move is from pending; bookings and refunds are recorded when they are made.
        assert old == stood.get(subject, old if old in {"", "pending"} else None)
        stood[subject] = new
    for model in (Booking, Ticket, Refund):
        rows: list[tuple[UUID, str]] = list(model._default_manager.values_list("id", "status"))
        assert [stood.get(str(key), "pending") for key, _ in rows] == [status for _, status in rows]


def _rows_of(model: Any, *names: str) -> dict[UUID, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in model.objects.values_list("id", *names)}


def _refunded(booking: ModelBooking) -> Decimal | None:
    return None if booking.refund_amount is None else money(booking.refund_amount)


def _changes(told: Counter[tuple[str, str]], kind: str, key: UUID) -> Counter[str]:
    """Return how often each life-cycle event was told of a row."""
    mine = {name: count for (name, about), count in told.items() if about == str(key) and name.startswith(f"{kind}.")}
    return Counter({name.partition(".")[2]: count for name, count in mine.items() if not name.endswith("_requested")})
