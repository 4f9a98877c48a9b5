"""The tracker sheets: a row for each ticket to print, and for each to refund."""

from functools import partial
from uuid import UUID

from django.utils import timezone

from bookings.events import TicketBookingCanceledV1, TicketBookingConfirmedV1
from bookings.models import TrackerRow
from bookings.services import tracking
from tickets_project.gateway import spreadsheets
from tickets_project.gateway.errors import UpstreamError
from tickets_project.outbox.outcomes import NotYet
from tickets_project.outbox.subscriptions import Recording

TO_PRINT = "tickets-to-print"
TO_REFUND = "tickets-to-refund"


def track_to_print(message: TicketBookingConfirmedV1) -> Recording | None:
    """Have the ticket in the sheet of those to print, once.

    :raises NotYet: if another attempt may still append it
    """
    return _track(message, sheet=TO_PRINT)


def track_to_refund(message: TicketBookingCanceledV1) -> Recording | None:
    """Have the ticket in the sheet of those to refund, once.

    :raises NotYet: if another attempt may still append it
    """
    return _track(message, sheet=TO_REFUND)


def _track(message: TicketBookingConfirmedV1 | TicketBookingCanceledV1, *, sheet: str) -> Recording | None:
    row, is_new = tracking.note_row(ticket_id=UUID(message.ticket_id), sheet=sheet, at=timezone.now())
    if row.appended_at:
        return None
    if is_new or not _is_there_already(row):
        _append(row, [message.customer_email, f"{message.price.amount:.2f}", message.price.currency])
    return partial(tracking.record_appended, row_id=row.pk, at=timezone.now())


def _is_there_already(row: TrackerRow) -> bool:
    """Tell whether an earlier attempt, whose outcome nobody knows, appended the row; if not, it is this one's."""
    if tracking.is_in_flight(row, at=timezone.now()):
        raise NotYet(f"Another attempt may still append the {row}.")
    if any(columns[:1] == [str(row.ticket_id)] for columns in spreadsheets.rows(row.sheet)):
        return True
    if not tracking.take_over(row, at=timezone.now()):
        raise NotYet(f"Another attempt appends the {row}.")
    return False


def _append(row: TrackerRow, columns: list[str]) -> None:
    try:
        spreadsheets.append_row(sheet=row.sheet, columns=[str(row.ticket_id), *columns])
    except UpstreamError as error:
        # Without an answer the service may yet append it.
        if error.status:
            tracking.let_go(row)
        raise
