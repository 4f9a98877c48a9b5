"""The handlers of the requests in signals.py: record the request, do the work or refuse, and answer.

What each does is one use case of services/, whose audit row, notification and events commit with it. A refusal leaves
the recorded request and an audit row, and nothing else; a refused scan stays stored besides.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from bookings import services
from bookings.errors import NonceReused
from bookings.events import (
    BookingCancellationRequested,
    BookingConfirmationRequested,
    TicketActivationRequested,
)
from bookings.models import Booking, Scan, Ticket
from bookings.services import announcing
from bookings.services.locking import locked_at_the_door
from bookings.services.redeeming import is_of, refusal_of, scan_with, store_scan
from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from tickets_project.event_result import EventResult
from tickets_project.outbox.publishing import publish
from tickets_project.refusals import DomainError


class BookingConfirmationHandler:
    """Confirms a pending booking, and makes as many tickets as were booked."""

    def __call__(self, *, booking: Booking, act: Act, payment_id: str | None, **_signal: Any) -> EventResult:
        """Answer with the booking."""
        publish(
            BookingConfirmationRequested(
                booking_id=str(booking.id), user_id=booking.owner_id, payment_id=payment_id, admin_id=act.admin_id
            )
        )
        refused = ("booking_confirmation_refused", subject_of(booking), act)
        return _answer(
            lambda: {"booking": services.confirm_booking(booking_id=booking.id, act=act, payment_id=payment_id)},
            refused=refused,
        )


class BookingCancellationHandler:
    """Cancels a pending or confirmed booking with its open tickets, and pays back what the policy or staff say."""

    def __call__(self, *, booking: Booking, act: Act, refund_amount: Decimal | None, **_signal: Any) -> EventResult:
        """Answer with the booking."""
        publish(
            BookingCancellationRequested(
                booking_id=str(booking.id),
                user_id=booking.owner_id,
                reason=act.reason or None,
                refund_amount=refund_amount,
                admin_id=act.admin_id,
            )
        )
        refused = ("booking_cancellation_refused", subject_of(booking), act)
        return _answer(
            lambda: {"booking": services.cancel_booking(booking_id=booking.id, act=act, refund_amount=refund_amount)},
            refused=refused,
        )


class TicketActivationHandler:
    """Activates a pending ticket with the code given, or one made, and sends its owner the QR code."""

    def __call__(self, *, ticket: Ticket, act: Act, activation_code: str | None, **_signal: Any) -> EventResult:
        """Answer with the ticket."""
        publish(
            TicketActivationRequested(
                ticket_id=str(ticket.id),
                user_id=ticket.owner_id,
                admin_id=act.admin_id,
                activation_code=activation_code,
            )
        )
        refused = ("ticket_activation_refused", subject_of(ticket), act)
        return _answer(
            lambda: {"ticket": services.activate_ticket(ticket_id=ticket.id, act=act, code=activation_code)},
            refused=refused,
        )


class TicketRedemptionHandler:
    """Lets the holder of an active, valid ticket in, once; each scan is stored."""

    def __call__(
        self, *, redemption_code: str, act: Act, location: str, nonce: str | None, **_signal: Any
    ) -> EventResult:
        """Answer with the ticket and the scan; a repeated scan is answered from what is stored, and not recorded."""
        earlier = scan_with(nonce, act)
        if earlier and is_of(earlier, redemption_code):
            return _answer(lambda: _let_in(earlier))
        ticket = locked_at_the_door(redemption_code)
        subject = subject_of(ticket) if ticket else ("scan", redemption_code[:36])
        refused = ("ticket_redemption_refused", subject, act)
        if earlier:
            publish(announcing.ticket_redemption_requested(ticket, code=redemption_code, location=location))
            return _answer(_refuse_nonce, refused=refused)
        # The request is published together with what comes of it.
        store = partial(store_scan, ticket, code=redemption_code, act=act, location=location, nonce=nonce)
        return _answer(lambda: _let_in(store()), refused=refused)


def _refuse_nonce() -> dict[str, Any]:
    raise NonceReused


def _let_in(scan: Scan) -> dict[str, Any]:
    if refusal := refusal_of(scan):
        raise refusal
    return {"ticket": scan.ticket, "scan": scan}


def _answer(
    carry_out: Callable[[], dict[str, Any]], *, refused: tuple[str, tuple[str, str], Act] | None = None
) -> EventResult:
    """Carry a request out; `refused` is the audit row of a refusal: its action, its subject and its act."""
    try:
        return EventResult.done(**carry_out())
    except DomainError as refusal:
        if refused:
            action, subject, act = refused
            record(action, subject, act.noting(error_type=refusal.code, **refusal.extensions))
        return EventResult.refused(refusal)
