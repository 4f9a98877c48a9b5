"""Confirming a booking: it becomes confirmed, and its tickets are made."""

from uuid import UUID

from django.db import IntegrityError, transaction

from bookings import codes, notices
from bookings.errors import BookingNotPending, ConfirmedByVendor, PaymentAlreadyUsed, PaymentRequired
from bookings.models import Activation, Booking, BookingStatus, Ticket
from bookings.services import announcing
from bookings.services.activating import activate
from bookings.services.locking import locked_booking
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish


@transaction.atomic
def confirm_booking(*, booking_id: UUID, act: Act, payment_id: str | None) -> Booking:
    """Confirm a pending booking, make its tickets, announce each, and tell the customer.

    :raises Booking.DoesNotExist: if there is no such booking
    :raises BookingNotPending: if it is in another state
    :raises ConfirmedByVendor: if the vendor sells its show
    :raises PaymentRequired: if it costs something and its owner gives no payment
    :raises PaymentAlreadyUsed: if the payment has confirmed another booking
    """
    booking = locked_booking(booking_id)
    if booking.status != BookingStatus.PENDING:
        raise BookingNotPending(current_status=booking.status)
    if booking.is_sold_by_vendor:
        raise ConfirmedByVendor(current_status=booking.status)
    if payment_id is None and booking.price_amount > 0 and not act.as_staff:
        raise PaymentRequired
    _confirm(booking, act, payment_id=payment_id, tickets=booking.number_of_tickets if booking.ticket_type else 0)
    tickets = _make_tickets(booking, act) if booking.ticket_type else []
    notices.booking_confirmed(booking, tickets, act)
    return booking


def confirm_for_vendor(booking: Booking, act: Act, *, tickets: int) -> None:
    """Confirm a locked, pending booking whose tickets the vendor makes; the caller announces them and sends the mail.

    :param tickets: how many there are so far
    """
    _confirm(booking, act, payment_id=None, tickets=tickets)


def _confirm(booking: Booking, act: Act, *, payment_id: str | None, tickets: int) -> None:
    code = codes.confirmation_code()
    noted = act.noting(confirmation_code=code, payment_id=payment_id, tickets_created=tickets)
    booking.confirm(act=noted, code=code, payment_id=payment_id)
    _store_confirmed(booking)
    publish(announcing.booking_confirmed(booking, act))


def _store_confirmed(booking: Booking) -> None:
    try:
        with transaction.atomic():
            booking.save()
    except IntegrityError as error:
        if booking.payment_id and Booking.objects.filter(payment_id=booking.payment_id).exists():
            # The row is as it was: pending.
            raise PaymentAlreadyUsed(current_status=BookingStatus.PENDING.value) from error
        raise


def _make_tickets(booking: Booking, act: Act) -> list[Ticket]:
    drafts = [Ticket.of(booking, created_at=act.at) for _ in range(booking.number_of_tickets)]
    at_once = bool(booking.ticket_type and booking.ticket_type.activation == Activation.ON_CONFIRMATION)
    if not at_once:
        for draft in drafts:
            draft.activation_code = codes.activation_code()
    tickets = Ticket.objects.bulk_create(drafts)
    told = [(announcing.ticket_created(ticket), announcing.ticket_booking_confirmed(ticket)) for ticket in tickets]
    publish(*(event for pair in told for event in pair))
    if at_once:
        for ticket in tickets:
            activate(ticket, act, code=codes.activation_code())
    return tickets
