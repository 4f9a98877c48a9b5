"""Redeeming tickets at the door: each scan is stored with its outcome, and can be undone for a while."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from bookings import errors, notices
from bookings.codes import tidied
from bookings.models import Booking, BookingStatus, Refund, Scan, ScanOutcome, Ticket, TicketStatus
from bookings.services import announcing
from bookings.services.locking import locked_at_the_door, locked_ticket
from bookings.services.ticketing import expire, is_over
from tickets_project.audit.acts import Act
from tickets_project.outbox.messages import Event
from tickets_project.outbox.publishing import publish
from tickets_project.refusals import DomainError

UNDO_WITHIN = timedelta(minutes=15)

_EARLIER = "SELECT id FROM bookings_scan WHERE scanned_by_id = %s AND nonce = %s"

_REFUSALS: dict[str, type[DomainError]] = {
    kind.code: kind
    for kind in (
        errors.UnknownCode,
        errors.NotActive,
        errors.NotYetValid,
        errors.Expired,
        errors.Cancelled,
        errors.AlreadyRedeemed,
    )
}


@transaction.atomic
def scan(*, code: str, act: Act, location: str, nonce: str | None) -> Scan:
    """Let the holder of the ticket with this code in, or not; the stored outcome tells.

    The same nonce again, of the same member of staff, answers the scan that is stored and changes nothing.

    :raises NonceReused: if the nonce belongs to a scan of another code
    """
    if earlier := scan_with(nonce, act):
        if not is_of(earlier, code):
            raise errors.NonceReused
        return earlier
    return store_scan(locked_at_the_door(code), code=code, act=act, location=location, nonce=nonce)


def scan_with(nonce: str | None, act: Act) -> Scan | None:
    """Return this member of staff's scan with the nonce; whoever else asks for it waits until the transaction ends."""
    if nonce is None:
        return None
    with connection.cursor() as cursor:
        # A scan of an unknown code has no ticket whose lock would keep it apart from its repetition.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"scan {act.by} {nonce}"])
        cursor.execute(_EARLIER, [act.actor.pk if act.actor else None, nonce])
        found = cursor.fetchone()
    return Scan.objects.get(id=found[0]) if found else None


def is_of(scan: Scan, code: str) -> bool:
    """Tell whether this code was scanned, however it is typed."""
    return tidied(scan.code) == tidied(code)


def store_scan(ticket: Ticket | None, *, code: str, act: Act, location: str, nonce: str | None) -> Scan:
    """Store a scan of a locked ticket, or of a code that no ticket has, and let its holder in if it may be.

    The caller has asked for a scan with the nonce, and there is none.
    """
    made = Scan(code=code, nonce=nonce, scanned_at=act.at, scanned_by=act.actor, location=location, ticket=ticket)
    requested = announcing.ticket_redemption_requested(ticket, code=code, location=location)
    if ticket and _lets_in(ticket, at=act.at):
        made.outcome = ScanOutcome.REDEEMED
        made.save(force_insert=True)
        _redeem(ticket, act.noting(location=location, nonce=nonce, staff=act.by), location, requested)
        return made
    publish(requested)
    refusal = _refusal(ticket, act)
    made.outcome, made.answer = refusal.code, {"detail": refusal.detail, "extensions": refusal.extensions}
    made.save(force_insert=True)
    return made


def refusal_of(scan: Scan) -> DomainError | None:
    """Return why a scan let nobody in, None when it did."""
    if scan.outcome == ScanOutcome.REDEEMED:
        return None
    # The database keeps no order of JSON's names, and a repeated scan is answered alike to the letter.
    return _REFUSALS[scan.outcome](scan.answer["detail"], **dict(sorted(scan.answer["extensions"].items())))


@transaction.atomic
def undo_scan(*, scan_id: UUID, act: Act) -> Scan:
    """Take back a scan that let somebody in: its ticket is active again, the scan stays with who undid it.

    :raises Scan.DoesNotExist: if there is no such scan
    :raises ScanNotRedeemed: if it let nobody in
    :raises ScanAlreadyUndone: if it is undone
    :raises TooLateToUndo: if fifteen minutes are over
    :raises RefundAlreadyRequested: if the ticket's money is on its way back, or back
    :raises BookingAlreadyCancelled: if its booking was cancelled meanwhile
    """
    found = Scan.objects.get(id=scan_id)
    if found.outcome != ScanOutcome.REDEEMED or found.ticket_id is None:
        raise errors.ScanNotRedeemed(outcome=found.outcome)
    ticket = locked_ticket(found.ticket_id)
    found.refresh_from_db()
    if found.undone_at:
        raise errors.ScanAlreadyUndone(undone_at=_told(found.undone_at))
    if act.at - found.scanned_at > UNDO_WITHIN:
        raise errors.TooLateToUndo(scanned_at=_told(found.scanned_at))
    _refuse_if_paid_back(ticket)
    ticket.undo_redemption(act=act)
    ticket.save()
    found.undone_at, found.undone_by = act.at, act.actor
    found.save(update_fields=["undone_at", "undone_by"])
    return found


def _refuse_if_paid_back(ticket: Ticket) -> None:
    # Asked once the ticket is locked: a cancellation or a refund may have held it until now.
    if refund := Refund.objects.filter(ticket=ticket).first():
        raise errors.RefundAlreadyRequested(current_status=refund.status)
    if Booking.objects.filter(tickets=ticket, status=BookingStatus.CANCELLED).exists():
        raise errors.BookingAlreadyCancelled(current_status=BookingStatus.CANCELLED.value)


def _lets_in(ticket: Ticket, *, at: datetime) -> bool:
    is_early = ticket.valid_from is not None and at < ticket.valid_from
    return ticket.status == TicketStatus.ACTIVE and not is_early and not is_over(ticket, at=at)


def _refusal(ticket: Ticket | None, act: Act) -> DomainError:
    """Return why this ticket lets nobody in now; one whose time is over is expired on the way."""
    if ticket is None:
        return errors.UnknownCode()
    if ticket.status == TicketStatus.ACTIVE and is_over(ticket, at=act.at):
        expire(ticket, act)
    if ticket.status != TicketStatus.ACTIVE:
        return _refusal_of_state(ticket)
    return errors.NotYetValid(current_status=ticket.status, valid_from=_told(ticket.valid_from))


def _refusal_of_state(ticket: Ticket) -> DomainError:
    state: dict[str, Any] = {"current_status": ticket.status}
    match ticket.status:
        case TicketStatus.PENDING:
            return errors.NotActive(**state)
        case TicketStatus.CANCELLED:
            return errors.Cancelled(**state, cancelled_at=_told(ticket.cancelled_at))
        case TicketStatus.EXPIRED:
            return errors.Expired(**state, valid_until=_told(ticket.valid_until))
    return _already(ticket, state)


def _already(ticket: Ticket, state: dict[str, Any]) -> DomainError:
    by = ticket.redeemed_by.get_username() if ticket.redeemed_by else None
    return errors.AlreadyRedeemed(
        **state, redeemed_at=_told(ticket.redeemed_at), redeemed_by=by, location=ticket.redeemed_location or None
    )


def _redeem(ticket: Ticket, act: Act, location: str, requested: Event) -> None:
    ticket.redeem(act=act, location=location)
    ticket.save(update_fields=["status", "redeemed_at", "redeemed_by", "redeemed_location"])
    notices.ticket_redeemed(ticket, act, told=[requested, announcing.ticket_redeemed(ticket, act)])


def _told(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
