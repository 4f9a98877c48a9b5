"""What the scan page answers: in words that a person at the door understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from bookings.models import Scan, ScanOutcome


class Verdict(StrEnum):
    """What the person at the door does now."""

    ADMIT = "admit"
    STOP = "stop"
    UNDONE = "undone"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What fills the page after a scan.

    :param headline: what is read from afar
    :param reason: the sentence under it
    :param lines: what is known of the ticket
    """

    verdict: Verdict
    headline: str
    reason: str
    lines: Sequence[str] = ()


def answer_of(scan: Scan, *, scans: int) -> Answer:
    """Return what a stored scan answers.

    :param scans: how often its ticket has been scanned, this time included
    """
    if scan.undone_at:
        return undone_answer(scan)
    lines = _lines(scan, scans)
    if scan.outcome == ScanOutcome.REDEEMED:
        return Answer(verdict=Verdict.ADMIT, headline="ADMIT", reason=_of_ticket(scan), lines=lines)
    if scan.ticket:
        lines = [_of_ticket(scan), *lines]
    return Answer(verdict=Verdict.STOP, headline="STOP", reason=reason_of(scan), lines=lines)


def undone_answer(scan: Scan) -> Answer:
    """Return what is said of a scan that is taken back."""
    reason = f"{scan.code} is valid again."
    return Answer(verdict=Verdict.UNDONE, headline="UNDONE", reason=reason, lines=[_of_ticket(scan)])


def unread_answer(detail: str) -> Answer:
    """Return what is said when there is no answer to a scan."""
    return Answer(verdict=Verdict.AGAIN, headline="SCAN AGAIN", reason=detail)


def not_undone_answer(detail: str) -> Answer:
    """Return what is said when a scan is not taken back."""
    return Answer(verdict=Verdict.AGAIN, headline="NOT UNDONE", reason=detail)


def reason_of(scan: Scan) -> str:
    """Return why a scan let nobody in."""
    told = scan.answer.get("extensions", {})
    match scan.outcome:
        case ScanOutcome.UNKNOWN_CODE:
            return f"No ticket of ours has the code {scan.code}."
        case ScanOutcome.NOT_ACTIVE:
            return "Not activated yet: the holder needs the activation code from the confirmation mail."
        case ScanOutcome.NOT_YET_VALID:
            return f"Too early: valid from {_when(told.get('valid_from'), scan)}."
        case ScanOutcome.EXPIRED:
            return f"Over: it was valid until {_when(told.get('valid_until'), scan)}."
        case ScanOutcome.CANCELLED:
            return f"Cancelled at {_when(told.get('cancelled_at'), scan)}."
    return _already(scan, told)


def local(at: datetime) -> datetime:
    """Return a time as the clock at the door shows it."""
    return at.astimezone(ZoneInfo(settings.TICKETS_TIME_ZONE))


def _already(scan: Scan, told: Mapping[str, Any]) -> str:
    where = f" at {told['location']}" if told.get("location") else ""
    by = f" by {told['redeemed_by']}" if told.get("redeemed_by") else ""
    return f"Already used at {_when(told.get('redeemed_at'), scan)}{where}{by}."


def _when(told: str | None, scan: Scan) -> str:
    """Return a time of the answer, with its day when it is another than the scan's."""
    if not told:
        return "an unknown time"
    at, scanned_at = local(datetime.fromisoformat(told)), local(scan.scanned_at)
    return f"{at:%H:%M}" if at.date() == scanned_at.date() else f"{at:%H:%M} on {at:%A} {at.day} {at:%B %Y}"


def _of_ticket(scan: Scan) -> str:
    return scan.ticket.title if scan.ticket else ""


def _lines(scan: Scan, scans: int) -> list[str]:
    if scan.ticket is None:
        return []
    booking = scan.ticket.booking
    starts = f", starts {_when(booking.start_time.isoformat(), scan)}" if booking else ""
    times = "first scan" if scans == 1 else f"scan number {scans}"
    return [f"{scan.ticket.ticket_type.name} ticket{starts}", f"{scan.ticket.redemption_code}, {times} of this ticket"]
