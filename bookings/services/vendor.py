"""What the vendor tells of its tickets: they are stored, confirmed and cancelled, and refunded when without a seat."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from bookings import codes, notices
from bookings.errors import NotSoldByVendor, TicketOfAnotherBooking
from bookings.models import Activation, Booking, BookingStatus, Show, Ticket, TicketStatus, TicketType
from bookings.models.bookings import STANDING
from bookings.models.tickets import OPEN
from bookings.services import announcing
from bookings.services.activating import activate
from bookings.services.cancelling import cancel_ticket
from bookings.services.confirming import confirm_for_vendor
from bookings.services.refund_rows import send_refund
from bookings.services.shows import STANDARD, ticket_type_named
from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish
from tickets_project.values import Money

CANCELLED_THERE = "The vendor cancelled it."
WITHOUT_SEAT = "The vendor confirmed it, and its booking has no seat for it."


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTicket:
    """What the vendor tells of one ticket: it is confirmed, or else cancelled."""

    ticket_id: UUID
    booking_id: UUID
    is_confirmed: bool
    customer_email: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What is told of a ticket, with its locked row; `is_first` when nothing was told of it before."""

    ticket: Ticket
    is_confirmed: bool
    is_first: bool


@transaction.atomic
def record_vendor_tickets(*, told: Sequence[VendorTicket], act: Act) -> None:
    """Take over all that the vendor tells, or nothing; what it told before changes nothing.

    A ticket is cancelled once the vendor says so, and stays cancelled, whether or not it was confirmed before. One
    that is confirmed without a seat (there are more than booked, or the booking has ended) is stored, cancelled and
    refunded. One whose booking nobody knows is stored without an owner.

    :raises NotSoldByVendor: if a booking is not of a show that the vendor sells
    :raises TicketOfAnotherBooking: if a ticket is known under another booking
    """
    bookings = _locked_bookings({each.booking_id for each in told})
    # Counted before the new tickets are stored, none of which has a seat yet.
    seats = _seats_without_ticket(bookings)
    new = _store_unknown(told, bookings, act)
    tickets = _locked_tickets({each.ticket_id for each in told}, bookings)
    for booking_id, news in _by_booking(told, tickets, new).items():
        # Nobody counts the seats of a booking that nobody knows.
        _take_over(bookings.get(booking_id), news, seats.get(booking_id, len(news)), act)


def _locked_bookings(ids: Iterable[UUID]) -> dict[UUID, Booking]:
    """Return those that exist, locked after their shows, each in the order of the ids."""
    wanted = Booking.objects.filter(id__in=ids)
    list(Show.objects.filter(id__in=wanted.values("show_id")).order_by("id").select_for_update())
    rows = wanted.select_related("show__ticket_type", "resource", "owner").order_by("id")
    bookings = {booking.id: booking for booking in rows.select_for_update(of=["self"])}
    for booking in bookings.values():
        if not booking.is_sold_by_vendor:
            raise NotSoldByVendor(booking_id=str(booking.id))
    return bookings


def _seats_without_ticket(bookings: Mapping[UUID, Booking]) -> dict[UUID, int]:
    """Return how many more tickets each booking has seats for: none when it has ended."""
    tickets = Ticket.objects.filter(booking__in=bookings).exclude(status=TicketStatus.CANCELLED)
    seated = dict(tickets.values_list("booking_id").annotate(Count("id")))
    return {
        key: booking.seats_held - seated.get(key, 0) if booking.status in STANDING else 0
        for key, booking in bookings.items()
    }


def _store_unknown(told: Sequence[VendorTicket], bookings: Mapping[UUID, Booking], act: Act) -> dict[UUID, str]:
    """Store a row for each ticket that has none; return their redemption codes."""
    known = set(Ticket.objects.filter(id__in={each.ticket_id for each in told}).values_list("id", flat=True))
    unknown = {each.ticket_id: each for each in reversed(told) if each.ticket_id not in known}
    standard = ticket_type_named(STANDARD)
    drafts = [_draft(unknown[key], bookings.get(unknown[key].booking_id), standard, act) for key in sorted(unknown)]
    # Another request may be storing the same ticket: this one waits for it, and leaves its row as it is. All store
    # them by id, so that no two wait for each other.
    Ticket.objects.bulk_create(drafts, ignore_conflicts=True)
    return {draft.id: draft.redemption_code for draft in drafts}


def _draft(each: VendorTicket, booking: Booking | None, standard: TicketType, act: Act) -> Ticket:
    # The vendor's tickets exist whether or not the type makes some by itself.
    kind = booking.show.ticket_type if booking and booking.show else standard
    return Ticket(
        id=each.ticket_id,
        booking=booking,
        vendor_booking_id=None if booking else each.booking_id,
        ticket_type=kind,
        customer_email=each.customer_email,
        price_amount=each.price.amount,
        price_currency=each.price.currency,
        redemption_code=codes.redemption_code(),
        activation_code=codes.activation_code() if kind.activation == Activation.MANUAL else "",
        created_at=act.at,
    )


def _locked_tickets(ids: Iterable[UUID], bookings: Mapping[UUID, Booking]) -> dict[UUID, Ticket]:
    """Return them, locked in the order of their ids, with the locked bookings."""
    rows = Ticket.objects.filter(id__in=ids).select_related("ticket_type").order_by("id")
    tickets = {ticket.id: ticket for ticket in rows.select_for_update(of=["self"])}
    for ticket in tickets.values():
        if ticket.booking_id and (booking := bookings.get(ticket.booking_id)):
            ticket.booking = booking
    return tickets


def _by_booking(
    told: Sequence[VendorTicket], tickets: Mapping[UUID, Ticket], new: Mapping[UUID, str]
) -> dict[UUID, list[_News]]:
    """Return what is told of each booking's tickets, in its order."""
    by_booking: dict[UUID, list[_News]] = {}
    seen = set[UUID]()
    for each in told:
        ticket = tickets[each.ticket_id]
        if each.booking_id != (ticket.booking_id or ticket.vendor_booking_id):
            raise TicketOfAnotherBooking(ticket_id=str(ticket.id))
        is_first = ticket.redemption_code == new.get(ticket.id) and ticket.id not in seen
        news = _News(ticket=ticket, is_confirmed=each.is_confirmed, is_first=is_first)
        by_booking.setdefault(each.booking_id, []).append(news)
        seen.add(ticket.id)
    return by_booking


def _take_over(booking: Booking | None, told: Sequence[_News], seats: int, act: Act) -> None:
    """Change the tickets of one booking; the first of the new ones get its seats that have no ticket."""
    seated = [news for news in told if news.is_first][:seats]
    confirmed = [news.ticket for news in seated if news.is_confirmed]
    if booking and confirmed and booking.status == BookingStatus.PENDING:
        confirm_for_vendor(booking, act, tickets=len(confirmed))
    for news in told:
        if news.is_first:
            _take_in(news, act, has_seat=seats > 0)
            seats -= 1
        elif not news.is_confirmed:
            cancel_ticket(news.ticket, act.because(CANCELLED_THERE))
    still_open = [ticket for ticket in confirmed if ticket.status in OPEN]
    if booking and still_open:
        notices.booking_confirmed(booking, still_open, act)


def _take_in(news: _News, act: Act, *, has_seat: bool) -> None:
    """Announce a new ticket, and what becomes of it."""
    if news.is_confirmed and has_seat:
        _confirm(news.ticket, act)
        return
    publish(announcing.ticket_created(news.ticket))
    if news.is_confirmed:
        _send_back(news.ticket, act.because(WITHOUT_SEAT))
    else:
        cancel_ticket(news.ticket, act.because(CANCELLED_THERE))


def _confirm(ticket: Ticket, act: Act) -> None:
    publish(announcing.ticket_created(ticket), announcing.ticket_booking_confirmed(ticket))
    if ticket.ticket_type.activation == Activation.ON_CONFIRMATION:
        activate(ticket, act, code=codes.activation_code())


def _send_back(ticket: Ticket, act: Act) -> None:
    if ticket.price_amount:
        send_refund(ticket, act)
    cancel_ticket(ticket, act, refund_amount=ticket.price_amount)
