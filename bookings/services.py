"""Writes: one function per use case, each in one transaction with the messages that tell of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from bookings import codes
from bookings.errors import (
    BookingIdTaken,
    BookingNotPending,
    NotEnoughTickets,
    PaymentAlreadyUsed,
    PaymentRequired,
    ShowHasStarted,
    UnknownTicketType,
)
from bookings.events import (
    BookingConfirmed,
    BookingCreated,
    BookingMadeV1,
    TicketBookingConfirmedV1,
    TicketCreated,
)
from bookings.models import Booking, BookingStatus, Show, Ticket, TicketType
from tickets_project.outbox.messages import Event
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money

STANDARD = "standard"


@transaction.atomic
def make_show(*, price: Money, ticket_type: str = STANDARD, **fields: Any) -> Show:
    """Put a show up for booking; `price` is for one ticket, `fields` are the model's.

    :raises UnknownTicketType: if there is no ticket type of that name; the standard one is made when missing
    """
    return Show.objects.create(
        price_amount=price.amount, price_currency=price.currency, ticket_type=_ticket_type(ticket_type), **fields
    )


@transaction.atomic
def make_booking(  # noqa: PLR0913 - a booking has these facts
    *, booking_id: UUID, show_id: UUID, number_of_tickets: int, customer_email: str, owner: User | None, at: datetime
) -> Booking:
    """Hold seats and announce it; the same booking_id twice holds them once.

    :raises Show.DoesNotExist: if there is no such show
    :raises ShowHasStarted: if it has started
    :raises NotEnoughTickets: if it cannot seat them all
    :raises BookingIdTaken: if the id belongs to a booking of another show
    """
    show = Show.objects.select_for_update().get(id=show_id)
    if booking := Booking.objects.filter(id=booking_id).first():
        if booking.show_id != show_id:
            raise BookingIdTaken
        return booking
    _hold_seats(show, number_of_tickets, at=at)
    price = show.price.times(number_of_tickets)
    booking = Booking.objects.create(
        id=booking_id,
        show=show,
        owner=owner,
        customer_email=customer_email,
        number_of_tickets=number_of_tickets,
        price_amount=price.amount,
        price_currency=price.currency,
        created_at=at,
    )
    publish(_created(booking), _made(booking))
    return booking


@transaction.atomic
def confirm_booking(*, booking_id: UUID, actor: User, payment_id: str | None, at: datetime) -> Booking:
    """Confirm a pending booking, make its tickets and announce each.

    :raises Booking.DoesNotExist: if there is no such booking
    :raises BookingNotPending: if it is in another state
    :raises PaymentRequired: if it costs something and its owner gives no payment
    :raises PaymentAlreadyUsed: if the payment has confirmed another booking
    """
    booking = Booking.objects.select_for_update(of=["self"]).select_related("show__ticket_type").get(id=booking_id)
    if booking.status != BookingStatus.PENDING:
        raise BookingNotPending(current_status=booking.status)
    if payment_id is None and booking.price_amount > 0 and not actor.is_staff:
        raise PaymentRequired
    booking.confirm(code=codes.confirmation_code(), payment_id=payment_id, at=at)
    _store_confirmed(booking)
    tickets = _make_tickets(booking, at=at)
    publish(_confirmed(booking, actor=actor), *(event for ticket in tickets for event in _ticket_events(ticket)))
    return booking


def record_printed(*, ticket_id: UUID, file_name: str, at: datetime) -> None:
    """Note that the ticket's document is in the files service; the first note stays."""
    Ticket.objects.filter(id=ticket_id, printed_at=None).update(printed_at=at, file_name=file_name)


def _ticket_type(name: str) -> TicketType:
    if name == STANDARD:
        return TicketType.objects.get_or_create(name=STANDARD)[0]
    try:
        return TicketType.objects.get(name=name)
    except TicketType.DoesNotExist as error:
        raise UnknownTicketType(f"There is no ticket type {name!r}.") from error


def _hold_seats(show: Show, seats: int, *, at: datetime) -> None:
    if show.start_time <= at:
        raise ShowHasStarted
    if seats > show.seats_left:
        raise NotEnoughTickets(seats_left=show.seats_left)
    show.seats_held += seats
    show.save(update_fields=["seats_held"])


def _store_confirmed(booking: Booking) -> None:
    try:
        with transaction.atomic():
            booking.save()
    except IntegrityError as error:
        if booking.payment_id and Booking.objects.filter(payment_id=booking.payment_id).exists():
            raise PaymentAlreadyUsed from error
        raise


def _make_tickets(booking: Booking, *, at: datetime) -> list[Ticket]:
    if not booking.show.ticket_type.makes_tickets:
        return []
    return Ticket.objects.bulk_create([Ticket.of(booking, created_at=at) for _ in range(booking.number_of_tickets)])


def _created(booking: Booking) -> Event:
    return BookingCreated(
        booking_id=str(booking.id),
        user_id=booking.owner_id,
        resource_type="show",
        resource_id=str(booking.show_id),
        start_time=booking.show.start_time,
        end_time=booking.show.end_time,
        price=booking.price_amount,
        currency=booking.price_currency,
    )


def _made(booking: Booking) -> Event:
    return BookingMadeV1(
        booking_id=str(booking.id),
        number_of_tickets=booking.number_of_tickets,
        customer_email=booking.customer_email,
        show_id=str(booking.show_id),
    )


def _confirmed(booking: Booking, *, actor: User) -> Event:
    if booking.confirmed_at is None or booking.confirmation_code is None:
        raise ValueError("The booking is not confirmed.")
    return BookingConfirmed(
        booking_id=str(booking.id),
        user_id=booking.owner_id,
        confirmed_at=booking.confirmed_at,
        confirmation_code=booking.confirmation_code,
        admin_id=actor.pk if actor.is_staff else None,
    )


def _ticket_events(ticket: Ticket) -> Iterator[Event]:
    yield TicketCreated(
        ticket_id=str(ticket.id),
        user_id=ticket.booking.owner_id,
        booking_id=str(ticket.booking_id),
        ticket_type_id=str(ticket.ticket_type_id),
        price=ticket.price_amount,
        currency=ticket.price_currency,
    )
    yield TicketBookingConfirmedV1(
        ticket_id=str(ticket.id),
        customer_email=ticket.customer_email,
        price=ticket.price,
        booking_id=str(ticket.booking_id),
    )
