"""The life-cycle and process events of bookings and tickets, made from the rows."""

from decimal import Decimal

from bookings import events
from bookings.models import Booking, Refund, Ticket
from tickets_project.audit.acts import Act
from tickets_project.outbox.messages import Event


def booking_created(booking: Booking) -> Event:
    """Return the event of a new booking."""
    kind, place_id = ("show", booking.show_id) if booking.show else (_kind(booking), booking.resource_id)
    return events.BookingCreated(
        booking_id=str(booking.id),
        user_id=booking.owner_id,
        resource_type=kind,
        resource_id=str(place_id),
        start_time=booking.start_time,
        end_time=booking.end_time,
        price=booking.price_amount,
        currency=booking.price_currency,
    )


def booking_made(booking: Booking) -> Event:
    """Return what a new booking of a show tells other apps."""
    return events.BookingMadeV1(
        booking_id=str(booking.id),
        number_of_tickets=booking.number_of_tickets,
        customer_email=booking.customer_email,
        show_id=str(booking.show_id),
    )


def booking_confirmed(booking: Booking, act: Act) -> Event:
    """Return the event of a booking that has just been confirmed."""
    return events.BookingConfirmed(
        booking_id=str(booking.id),
        user_id=booking.owner_id,
        confirmed_at=act.at,
        confirmation_code=booking.confirmation_code or "",
        admin_id=act.admin_id,
    )


def booking_cancelled(booking: Booking, act: Act) -> Event:
    """Return the event of a booking that has just been cancelled."""
    return events.BookingCancelled(
        booking_id=str(booking.id),
        user_id=booking.owner_id,
        cancelled_at=act.at,
        reason=act.reason or None,
        refund_amount=booking.refund_amount,
        admin_id=act.admin_id,
    )


def booking_completed(booking: Booking, act: Act) -> Event:
    """Return the event of a booking that has just taken place; its customer may be asked for a review."""
    return events.BookingCompleted(
        booking_id=str(booking.id), user_id=booking.owner_id, completed_at=act.at, review_requested=True
    )


def booking_no_show(booking: Booking, act: Act) -> Event:
    """Return the event of a booking that nobody came for."""
    return events.BookingNoShow(
        booking_id=str(booking.id), user_id=booking.owner_id, marked_no_show_at=act.at, staff_id=act.admin_id
    )


def ticket_created(ticket: Ticket) -> Event:
    """Return the event of a new ticket."""
    return events.TicketCreated(
        ticket_id=str(ticket.id),
        user_id=ticket.owner_id,
        booking_id=_booking_id(ticket),
        ticket_type_id=str(ticket.ticket_type_id),
        price=ticket.price_amount,
        currency=ticket.price_currency,
    )


def ticket_booking_confirmed(ticket: Ticket) -> Event:
    """Return what a new ticket tells other apps."""
    return events.TicketBookingConfirmedV1(
        ticket_id=str(ticket.id),
        customer_email=ticket.customer_email,
        price=ticket.price,
        booking_id=_booking_id(ticket) or "",
    )


def ticket_activated(ticket: Ticket, act: Act) -> Event:
    """Return the event of a ticket that has just become active."""
    return events.TicketActivated(
        ticket_id=str(ticket.id),
        user_id=ticket.owner_id,
        ticket_type=ticket.ticket_type.name,
        activated_at=act.at,
        valid_until=ticket.valid_until,
        admin_id=act.admin_id,
    )


def ticket_redemption_requested(ticket: Ticket | None, *, code: str, location: str) -> Event:
    """Return the event of a scan; no ticket may have its code."""
    return events.TicketRedemptionRequested(
        ticket_id=str(ticket.id) if ticket else None,
        user_id=ticket.owner_id if ticket else None,
        redemption_code=code,
        location=location or None,
    )


def ticket_redeemed(ticket: Ticket, act: Act) -> Event:
    """Return the event of a ticket that has just let its holder in."""
    return events.TicketRedeemed(
        ticket_id=str(ticket.id),
        user_id=ticket.owner_id,
        redeemed_at=act.at,
        redeemed_by=act.admin_id,
        location=ticket.redeemed_location or None,
    )


def ticket_expired(ticket: Ticket, act: Act) -> Event:
    """Return the event of a ticket whose time is over."""
    return events.TicketExpired(ticket_id=str(ticket.id), user_id=ticket.owner_id, expired_at=act.at)


def ticket_cancelled(ticket: Ticket, act: Act, *, refund_amount: Decimal | None = None) -> Event:
    """Return the event of a ticket that has just been cancelled."""
    return events.TicketCancelled(
        ticket_id=str(ticket.id),
        user_id=ticket.owner_id,
        cancelled_at=act.at,
        reason=act.reason or None,
        refund_amount=refund_amount,
        admin_id=act.admin_id,
    )


def ticket_booking_canceled(ticket: Ticket) -> Event:
    """Return what a ticket that is no longer valid tells other apps."""
    return events.TicketBookingCanceledV1(
        ticket_id=str(ticket.id), customer_email=ticket.customer_email, price=ticket.price
    )


def ticket_refunded(refund: Refund) -> Event:
    """Return what a ticket's refund that has just been paid tells other apps."""
    booking_id = _booking_id(refund.ticket) if refund.ticket else None
    return events.TicketRefundedV1(ticket_id=str(refund.ticket_id), booking_id=booking_id or "")


def _kind(booking: Booking) -> str:
    return booking.resource.type if booking.resource else ""


def _booking_id(ticket: Ticket) -> str | None:
    """Return its booking's id; of a booking that nobody knows, what the vendor says."""
    found = ticket.booking_id or ticket.vendor_booking_id
    return str(found) if found else None
