"""Rows for tests; whatever a test does not name is made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import factory
from django.contrib.auth.models import Group, User
from django.utils import timezone

from bookings.models import Booking, Show, Ticket, TicketType
from bookings.services import confirm_booking, make_booking
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Delivery, Message
from vip_bundles.models import VipBundle
from vip_bundles.services import make_bundle
from vip_bundles.services.making import BundleShow, Journey

NOON = datetime(2026, 5, 2, 12, tzinfo=UTC)


class UserFactory(factory.django.DjangoModelFactory):
    """A customer with an account."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@customers.example")


class StaffFactory(UserFactory):
    """A member of the box office."""

    username = factory.Sequence(lambda number: f"staff{number}")
    is_staff = True

    @factory.post_generation  # type: ignore[untyped-decorator] # factory-boy's types are half done
    def role(self, create: bool, extracted: str | None, **_: Any) -> None:  # noqa: FBT001 - factory-boy's signature
        """Give the role of operations, or the one that is named; an empty one gives none."""
        if create and extracted != "":
            self.groups.add(Group.objects.get(name=extracted or "ops"))


class TicketTypeFactory(factory.django.DjangoModelFactory):
    """The standard type, once."""

    class Meta:
        model = TicketType
        django_get_or_create = ("name",)

    name = "standard"


class ShowFactory(factory.django.DjangoModelFactory):
    """A show in a month, with ten seats at ten euros."""

    class Meta:
        model = Show

    title = "Carmen"
    venue = "Teatro Real, Madrid"
    start_time = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    number_of_tickets = 10
    price_amount = Decimal("10.00")
    price_currency = "EUR"
    ticket_type = factory.SubFactory(TicketTypeFactory)


class MessageFactory(factory.django.DjangoModelFactory):
    """A stored message that nobody was subscribed to."""

    class Meta:
        model = Message

    id = factory.LazyFunction(uuid4)
    kind = "event"
    type = "TicketPrinted_v1"
    aggregatetype = "ticket"
    aggregateid = factory.LazyFunction(lambda: str(uuid4()))
    payload = factory.LazyAttribute(lambda message: {"ticket_id": message.aggregateid, "file_name": "a.html"})
    headers = factory.LazyAttribute(
        lambda message: {
            "correlation_id": "c1",
            "causation_id": None,
            "idempotency_key": str(message.id),
            "traceparent": None,
        }
    )


class DeliveryFactory(factory.django.DjangoModelFactory):
    """A delivery that is due."""

    class Meta:
        model = Delivery

    message = factory.SubFactory(MessageFactory)
    handler = "bookings.record_printed"
    sequence = factory.SelfAttribute("message.sequence")


def pending_booking(*, show: Show | None = None, owner: User | None = None, seats: int = 2, **facts: Any) -> Booking:
    """Make a booking as the API does."""
    owner = owner or UserFactory.create()
    return make_booking(
        booking_id=facts.pop("booking_id", None),
        show_id=(show or ShowFactory.create()).id,
        number_of_tickets=seats,
        customer_email=facts.pop("customer_email", owner.email),
        owner=owner,
        act=Act(at=facts.pop("at", None) or timezone.now(), actor=owner),
    )


def confirmed_booking(**facts: Any) -> Booking:
    """Make a booking and confirm it as staff do."""
    booking = pending_booking(**facts)
    return confirm_booking(booking_id=booking.id, act=staff_act(), payment_id=None)


def staff_act(**facts: Any) -> Act:
    """Return what a member of staff does now."""
    return Act(**{"at": timezone.now(), "actor": StaffFactory.create(), "as_staff": True} | facts)


def owner_act(booking: Booking, **facts: Any) -> Act:
    """Return what the owner of a booking does now."""
    return Act(**{"at": timezone.now(), "actor": booking.owner} | facts)


def show_of(booking: Booking) -> Show:
    """Return the show of a booking that has one, as it is stored now."""
    return Show.objects.get(bookings=booking)


def only_ticket(booking: Booking | UUID) -> Ticket:
    """Return the ticket of a booking that has one."""
    return Ticket.objects.get(booking=booking)


def made_bundle(
    *,
    show: Show | None = None,
    owner: User | None = None,
    tickets: int = 3,
    return_flight: bool = True,
    taxi: bool = True,
    at: datetime | None = None,
) -> VipBundle:
    """Make a bundle as the API does; nothing of it is booked before its messages are delivered."""
    show, owner = show or ShowFactory.create(), owner or UserFactory.create()
    return make_bundle(
        vip_bundle_id=uuid4(),
        booking_id=uuid4(),
        show=BundleShow(show_id=show.id, title=show.title),
        journey=Journey(
            passengers=[f"Passenger {number}" for number in range(1, tickets + 1)],
            inbound_flight_id=uuid4(),
            return_flight_id=uuid4() if return_flight else None,
            wants_taxi=taxi,
        ),
        customer_email=owner.email,
        owner=owner,
        act=Act(at=at or timezone.now(), actor=owner),
    )
