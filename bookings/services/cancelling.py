"""Cancelling: a booking with all its open tickets, or one ticket by itself."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from bookings import notices, refund_policy
from bookings.errors import (
    BookingAlreadyCancelled,
    BookingNotCancellable,
    RefundAmountIsForStaff,
    RefundAmountTooHigh,
)
from bookings.models import Booking, BookingStatus, Show, Ticket, TicketStatus
from bookings.models.bookings import STANDING
from bookings.models.tickets import OPEN
from bookings.services import announcing
from bookings.services.locking import locked_tickets, locked_with_show
from bookings.services.refund_rows import currency_of, due_back, going_back, refund_booking, refundable, unsettled
from tickets_project.audit.acts import Act
from tickets_project.outbox.messages import Event
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money


@transaction.atomic
def cancel_booking(*, booking_id: UUID, act: Act, refund_amount: Decimal | None = None) -> Booking:
    """Cancel a pending or confirmed booking: its open tickets with it, its seats free, its refund on the way.

    :param refund_amount: staff may give it, in the currency that was paid; otherwise the policy says
    :raises Booking.DoesNotExist: if there is no such booking
    :raises BookingAlreadyCancelled: if it is cancelled
    :raises BookingNotCancellable: if it is over
    :raises RefundAmountIsForStaff: if somebody else gives an amount
    :raises RefundAmountTooHigh: if it is more than can still be paid back
    """
    booking = locked_with_show(booking_id)
    _refuse_unless_open(booking)
    tickets = locked_tickets(booking)
    # Asked once they are locked: a ticket that has just let somebody in is not paid back.
    amount = _agreed_amount(booking, act, refund_amount)
    rest = unsettled(tickets, act)
    _cancel(booking, act, refund_amount=amount)
    _announce([ticket for ticket in tickets if _cancel_if_open(ticket, act)], act)
    refund_booking(booking, rest, amount=amount, act=act)
    return booking


def refund_preview(booking: Booking, act: Act) -> Decimal:
    """Return what cancelling it now would pay back.

    :raises BookingAlreadyCancelled: if it is cancelled
    :raises BookingNotCancellable: if it is over
    """
    _refuse_unless_open(booking)
    percent = refund_policy.percentage(start=booking.start_time, at=act.at, as_staff=act.as_staff)
    return due_back(booking, act, percent=percent)


def cancel_ticket(ticket: Ticket, act: Act, *, refund_amount: Decimal | None = None) -> None:
    """Cancel a ticket by itself if it is open, and free its seat; a booking without any other ends with it.

    The ticket's show, booking and itself are locked.
    """
    if not _cancel_if_open(ticket, act):
        return
    _announce([ticket], act, refund_amount=refund_amount)
    if ticket.booking is None:
        return
    booking = ticket.booking
    freed = booking.seats_held - _seats_in_use(booking)
    if freed > 0:
        _free_seats(booking, freed)
        booking.save(update_fields=["seats_held"])
    if _is_empty(booking):
        _cancel(booking, act, refund_amount=going_back(booking, currency_of(booking)))


def _cancel_if_open(ticket: Ticket, act: Act) -> bool:
    """Cancel a locked ticket; False when it is no longer open."""
    if ticket.status not in OPEN:
        return False
    ticket.cancel(act=act)
    ticket.save()
    return True


def _announce(tickets: Sequence[Ticket], act: Act, *, refund_amount: Decimal | None = None) -> None:
    told: list[Event] = []
    for ticket in tickets:
        told.append(announcing.ticket_cancelled(ticket, act, refund_amount=refund_amount))
        told.append(announcing.ticket_booking_canceled(ticket))
    # All at once: a booking may have a thousand tickets, and its show is locked.
    if told:
        publish(*told)


def _cancel(booking: Booking, act: Act, *, refund_amount: Decimal) -> None:
    booking.cancel(act=act.noting(refund_amount=refund_amount), refund_amount=refund_amount)
    _free_seats(booking, booking.seats_held)
    booking.save()
    publish(announcing.booking_cancelled(booking, act))
    notices.booking_cancelled(booking, act, pays=Money(amount=refund_amount, currency=currency_of(booking)))


def _free_seats(booking: Booking, seats: int) -> None:
    if not booking.show_id or not seats:
        return
    show = Show.objects.get(id=booking.show_id)
    show.seats_held -= seats
    show.save(update_fields=["seats_held"])
    booking.seats_held -= seats


def _seats_in_use(booking: Booking) -> int:
    """Return how many seats its tickets need; the vendor may have made more of them than were booked."""
    tickets = Ticket.objects.filter(booking=booking)
    made, cancelled = tickets.count(), tickets.filter(status=TicketStatus.CANCELLED).count()
    return max(made, booking.number_of_tickets) - cancelled


def _refuse_unless_open(booking: Booking) -> None:
    if booking.status == BookingStatus.CANCELLED:
        raise BookingAlreadyCancelled(current_status=booking.status)
    if booking.status not in STANDING:
        raise BookingNotCancellable(current_status=booking.status)


def _agreed_amount(booking: Booking, act: Act, given: Decimal | None) -> Decimal:
    if given is None:
        return refund_preview(booking, act)
    if not act.as_staff:
        raise RefundAmountIsForStaff
    most = refundable(booking, currency_of(booking))
    if given > most:
        raise RefundAmountTooHigh(refundable=f"{most:.2f}")
    return given


def _is_empty(booking: Booking) -> bool:
    """Tell whether all its tickets were made and cancelled, so that nothing of it is left."""
    if booking.status not in STANDING:
        return False
    tickets = Ticket.objects.filter(booking=booking)
    if tickets.exclude(status=TicketStatus.CANCELLED).exists():
        return False
    return tickets.count() >= booking.number_of_tickets
