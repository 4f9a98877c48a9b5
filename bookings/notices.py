"""What customers are told, and when: the contexts of their notifications."""

from collections.abc import Sequence
from typing import Any

from bookings.models import Booking, Refund, Ticket
from bookings.qr_links import qr_code_url
from tickets_project.audit.acts import Act
from tickets_project.notifications.services import notify
from tickets_project.outbox.messages import Event
from tickets_project.values import Money


def booking_confirmed(booking: Booking, tickets: Sequence[Ticket], act: Act) -> None:
    """Send the confirmation, with the codes that activate its tickets."""
    codes = [
        {"ticket_id": str(ticket.id), "activation_code": ticket.activation_code}
        for ticket in tickets
        if ticket.activation_code and not ticket.activated_at
    ]
    context = {
        **_place(booking),
        "confirmation_code": booking.confirmation_code,
        "tickets_count": len(tickets),
        "activation_codes": codes,
    }
    _tell(booking, "booking_confirmed", context, act)


def booking_cancelled(booking: Booking, act: Act, *, pays: Money) -> None:
    """Send what is cancelled, and what is paid back."""
    refund = {"refund_amount": f"{pays.amount:.2f}", "currency": pays.currency}
    _tell(booking, "booking_cancelled", {**_place(booking), **refund, "reason": act.reason or None}, act)


def booking_reminder(booking: Booking, act: Act, *, hours_before: int) -> None:
    """Remind of the start."""
    context = {**_place(booking), "confirmation_code": booking.confirmation_code, "hours_before": hours_before}
    _tell(booking, "booking_reminder", context, act)


def ticket_activated(ticket: Ticket, act: Act) -> None:
    """Send the QR code that lets its holder in."""
    context = {
        "ticket_type": ticket.ticket_type.name,
        "activation_code": ticket.activation_code,
        "qr_code_url": qr_code_url(ticket.id),
        "valid_until": ticket.valid_until,
        "redemption_code": ticket.redemption_code,
    }
    _tell_holder(ticket, "ticket_activated", context, act)


def ticket_redeemed(ticket: Ticket, act: Act, *, told: Sequence[Event]) -> None:
    """Tell that somebody entered with the ticket.

    :param told: the events of it, published together with the mail
    """
    context = {"redeemed_at": ticket.redeemed_at, "location": ticket.redeemed_location or None}
    _tell_holder(ticket, "ticket_redeemed", context, act, told=told)


def refund_processed(refund: Refund, act: Act) -> None:
    """Tell that money went back."""
    context = {"refund_amount": f"{refund.amount:.2f}", "currency": refund.currency}
    if refund.ticket:
        _tell_holder(refund.ticket, "refund_processed", context, act)
    elif refund.booking:
        _tell(refund.booking, "refund_processed", {**context, "ticket_id": None, "title": refund.booking.title}, act)


def _place(booking: Booking) -> dict[str, Any]:
    return {
        "booking_id": str(booking.id),
        "title": booking.title,
        "start_time": booking.start_time,
        "end_time": booking.end_time,
        "location": booking.location,
    }


def _tell(booking: Booking, template: str, context: dict[str, Any], act: Act) -> None:
    notify(
        template=template,
        recipient_id=booking.owner_id,
        email=booking.customer_email,
        context=context,
        about=("booking", str(booking.id)),
        at=act.at,
    )


def _tell_holder(
    ticket: Ticket, template: str, context: dict[str, Any], act: Act, *, told: Sequence[Event] = ()
) -> None:
    notify(
        template=template,
        recipient_id=ticket.owner_id,
        email=ticket.customer_email,
        context={"ticket_id": str(ticket.id), "title": ticket.title, **context},
        about=("ticket", str(ticket.id)),
        at=act.at,
        told=told,
    )
