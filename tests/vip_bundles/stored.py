"""Bundles as the database has them: told by messages through the outbox, as far as a test wants them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from bookings.events import BookingFailedV1, BookingMadeV1, TicketBookingConfirmedV1
from tests.factories import made_bundle
from tests.working import deliver_all
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.messages import Header, Message
from tickets_project.outbox.models import Message as StoredMessage
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money
from vip_bundles.events import (
    FlightBookedV1,
    FlightBookingFailedV1,
    TaxiBookedV1,
    TaxiBookingFailedV1,
    VipBundleInitializedV1,
)
from vip_bundles.facts import State
from vip_bundles.models import BundleMove, VipBundle

M = TypeVar("M", bound=Message)

ADVANCING = [
    f"vip_bundles.{name}"
    for name in (
        "on_initialized",
        "on_booking_made",
        "on_booking_failed",
        "on_ticket_confirmed",
        "on_flight_booked",
        "on_flight_failed",
        "on_taxi_booked",
        "on_taxi_failed",
    )
]
"""The handlers around the process manager; what they ask for is answered by the test itself."""


def tell(*messages: Message) -> list[StoredMessage]:
    """Publish them; return them as they are stored."""
    last = StoredMessage.objects.order_by("-sequence").first()
    with transaction.atomic():
        publish(*messages)
    return list(StoredMessage.objects.filter(sequence__gt=last.sequence if last else 0).order_by("sequence"))


def hear(*messages: Message) -> list[StoredMessage]:
    """Publish them, and have the process manager hear them, and whatever it has not heard before."""
    stored = tell(*messages)
    deliver_all(*ADVANCING)
    return stored


def published(message: M) -> M:
    """Return the message as if it were published now, to be heard without the outbox."""
    return replace(
        message, header=Header(id=str(uuid4()), published_at=timezone.now(), idempotency_key="", correlation_id="")
    )


def initialized(bundle: VipBundle) -> VipBundleInitializedV1:
    return VipBundleInitializedV1(vip_bundle_id=str(bundle.id))


def booking_made(bundle: VipBundle) -> BookingMadeV1:
    return BookingMadeV1(
        booking_id=str(bundle.booking_id),
        number_of_tickets=bundle.number_of_tickets,
        customer_email=bundle.customer_email,
        show_id=str(bundle.show_id),
    )


def booking_failed(bundle: VipBundle) -> BookingFailedV1:
    return BookingFailedV1(booking_id=str(bundle.booking_id), failure_reason="sold out")


def confirmed(bundle: VipBundle, ticket_id: str = "") -> TicketBookingConfirmedV1:
    """Return what tells of a ticket, a new one unless it is named."""
    return TicketBookingConfirmedV1(
        ticket_id=ticket_id or str(uuid4()),
        customer_email=bundle.customer_email,
        price=Money(amount=Decimal("50.30"), currency="EUR"),
        booking_id=str(bundle.booking_id),
    )


def all_confirmed(bundle: VipBundle) -> list[Message]:
    return [confirmed(bundle) for _ in range(bundle.number_of_tickets)]


def inbound_booked(bundle: VipBundle) -> FlightBookedV1:
    return FlightBookedV1(
        flight_id=str(bundle.inbound_flight_id), flight_tickets_ids=["i1", "i2"], reference_id=str(bundle.id)
    )


def return_booked(bundle: VipBundle) -> FlightBookedV1:
    return FlightBookedV1(
        flight_id=str(bundle.return_flight_id), flight_tickets_ids=["r1", "r2"], reference_id=str(bundle.id)
    )


def inbound_failed(bundle: VipBundle) -> FlightBookingFailedV1:
    return FlightBookingFailedV1(
        flight_id=str(bundle.inbound_flight_id), failure_reason="no seats", reference_id=str(bundle.id)
    )


def taxi_booked(bundle: VipBundle) -> TaxiBookedV1:
    return TaxiBookedV1(taxi_booking_id="t1", reference_id=str(bundle.id))


def taxi_failed(bundle: VipBundle) -> TaxiBookingFailedV1:
    return TaxiBookingFailedV1(failure_reason="no taxi", reference_id=str(bundle.id))


def standing(state: State, **facts: Any) -> VipBundle:
    """Make a bundle and tell it what brings it there; its tickets are confirmed as soon as its show is booked."""
    bundle = made_bundle(**facts)
    for message in _way_to(state, bundle):
        hear(*message)
    return stored(bundle)


def _way_to(state: State, bundle: VipBundle) -> Iterator[list[Message]]:
    """Yield what happens one after the other until it stands there."""
    answers: dict[State, list[Message]] = {
        State.INITIALIZED: [],
        State.BOOKING_SHOW: [booking_made(bundle), *all_confirmed(bundle)],
        State.BOOKING_INBOUND_FLIGHT: [inbound_booked(bundle)],
        State.BOOKING_RETURN_FLIGHT: [return_booked(bundle)],
        State.BOOKING_TAXI: [taxi_failed(bundle) if state is State.FAILED else taxi_booked(bundle)],
    }
    for step in (State.INITIALIZED, *bundle.facts().steps):
        if step is state:
            return
        yield answers[step]


def stored(bundle: VipBundle) -> VipBundle:
    """Return the bundle as it is stored now."""
    return VipBundle.objects.get(id=bundle.id)


def state_of(bundle: VipBundle) -> str:
    return str(stored(bundle).state)


def moves_of(bundle: VipBundle) -> list[tuple[str, str, str]]:
    """Return each move: what caused it, and from where to where it was."""
    return list(BundleMove.objects.filter(bundle=bundle).values_list("message_type", "from_state", "to_state"))


def sent(name: str) -> list[dict[str, Any]]:
    """Return the payloads of the messages with this name, oldest first."""
    return list(StoredMessage.objects.filter(type=name).order_by("sequence").values_list("payload", flat=True))


def audited(bundle: VipBundle) -> list[tuple[str, str, str, str]]:
    """Return the bundle's audit rows, oldest first: action, old state, new state, by whom."""
    rows = AuditEntry.objects.filter(subject_type="vipbundle", subject_id=str(bundle.id)).order_by("id")
    return list(rows.values_list("action", "old", "new", "by"))


def all_rows() -> dict[str, list[Any]]:
    """Return all rows of bundles, the audit trail, notifications and stored messages."""
    models: list[type[Model]] = [
        *apps.get_app_config("vip_bundles").get_models(),
        *apps.get_app_config("notifications").get_models(),
        AuditEntry,
        StoredMessage,
    ]
    return {model._meta.label: sorted(model._default_manager.values_list(), key=repr) for model in models}


@contextmanager
def leaving_nothing() -> Iterator[None]:
    """Assert that nothing is stored meanwhile."""
    before = all_rows()
    yield
    assert all_rows() == before


@contextmanager
def refusing_updates(table: str) -> Iterator[None]:
    """Let the database break down at a change of a row of this table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;"
            f"CREATE TRIGGER refuse BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")
