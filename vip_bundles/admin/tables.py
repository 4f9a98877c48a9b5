"""The tables on a bundle's page: its tickets, its flights and taxi, and its refunds."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bookings.events import TicketBookingConfirmedV1
from printing.events import TicketPrintedV1
from tickets_project.admin_site.display import Badges, Section, link, moment
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.admin.stories import Story
from vip_bundles.admin.taking_back import TakingBack, cancellation_of_flight, cancellation_of_taxi, refund_of
from vip_bundles.admin.waiting import still_open
from vip_bundles.commands import BookFlight, BookTaxi
from vip_bundles.events import FlightBookedV1, FlightBookingFailedV1, TaxiBookedV1, TaxiBookingFailedV1
from vip_bundles.facts import Leg, State
from vip_bundles.models import BundleTicket

PRINTED, BOOKED = Badges({"printed": "success"}), Badges({"booked": "success"})
# The handlers that print and that tell of it; a key never changes.
_PRINTING = {"printing.print_ticket", "vip_bundles.record_printed"}
_TICKET_TYPES = (TicketBookingConfirmedV1.NAME, TicketPrintedV1.NAME)
_FLIGHT_TYPES = (FlightBookedV1.NAME, FlightBookingFailedV1.NAME)
_TAXI_TYPES = (BookTaxi.NAME, TaxiBookedV1.NAME, TaxiBookingFailedV1.NAME)
_WAYS = {State.BOOKING_INBOUND_FLIGHT: "inbound flight", State.BOOKING_RETURN_FLIGHT: "return flight"}


def ticket_section(story: Story) -> Section:
    """Return its tickets: confirmed, printed or waiting and why, and refunded."""
    confirmed, expected = len(story.facts.ticket_ids), story.facts.number_of_tickets
    note = "" if confirmed == expected else f"{confirmed} of {expected} tickets are confirmed."
    headers = ["ticket", "confirmed", "printed", "document", "refunded"]
    return Section(title="Tickets", headers=headers, rows=[_ticket(story, each) for each in story.tickets], note=note)


def transport_section(story: Story) -> Section:
    """Return its flights and its taxi: wanted, booked or waiting and why, and cancelled."""
    rows = [
        *(_flight(story, way, story.facts.legs.get(step)) for step, way in _WAYS.items()),
        _taxi(story),
    ]
    headers = ["what", "flight or booking", "booked", "tickets", "cancelled"]
    return Section(title="Flights and taxi", headers=headers, rows=rows)


def refund_sections(story: Story) -> list[Section]:
    """Return where the refunds of its tickets stand, nothing when none was asked for."""
    refunds = [(ticket, refund_of(story, ticket)) for ticket in story.tickets]
    rows = [
        [link("bookings_ticket_change", ticket.ticket_id, ticket.ticket_id), _asked(refund.deliveries), refund.show()]
        for ticket, refund in refunds
        if refund.deliveries or refund.done_at
    ]
    return [Section(title="Refunds", headers=["ticket", "asked for", "where it stands"], rows=rows)] if rows else []


def _ticket(story: Story, ticket: BundleTicket) -> Sequence[object]:
    return [
        link("bookings_ticket_change", ticket.ticket_id, ticket.ticket_id),
        moment(ticket.confirmed_at),
        _printed(story, ticket),
        link("bookings_ticket_document", ticket.file_name, ticket.ticket_id) if ticket.file_name else "-",
        moment(ticket.refunded_at),
    ]


def _printed(story: Story, ticket: BundleTicket) -> SafeString:
    """Tell when it was printed, or what its document waits for."""
    if ticket.printed_at:
        return format_html("<span>{} {}</span>", PRINTED.show("printed"), moment(ticket.printed_at))
    about = story.deliveries_of(*_TICKET_TYPES, ticket_id=str(ticket.ticket_id))
    return still_open(delivery for delivery in about if delivery.handler in _PRINTING)


def _flight(story: Story, way: str, leg: Leg | None) -> Sequence[object]:
    if leg is None:
        return [way, "-", "not wanted", "-", "-"]
    asked = story.deliveries_of(BookFlight.NAME, to_flight_id=leg.flight_id)
    answered = story.deliveries_of(*_FLIGHT_TYPES, flight_id=leg.flight_id)
    tickets = format_html_join(SafeString("<br>"), "{}", ([ticket_id] for ticket_id in leg.ticket_ids))
    cancelled = cancellation_of_flight(story, leg.ticket_ids)
    booked = _booked(leg.booked_at, [*asked, *answered])
    return [way, leg.flight_id, booked, tickets or "-", _cancelled(story, leg.booked_at, cancelled)]


def _taxi(story: Story) -> Sequence[object]:
    facts = story.facts
    if not facts.wants_taxi:
        return ["taxi", "-", "not wanted", "-", "-"]
    booked = _booked(facts.taxi_booked_at, story.deliveries_of(*_TAXI_TYPES))
    cancelled = _cancelled(story, facts.taxi_booked_at, cancellation_of_taxi(story))
    return ["taxi", facts.taxi_booking_id or "-", booked, "-", cancelled]


def _booked(at: datetime | None, told: Sequence[Delivery]) -> SafeString | str:
    """Tell when it was booked, or what it waits for."""
    if at:
        return format_html("<span>{} {}</span>", BOOKED.show("booked"), moment(at))
    waiting = [delivery for delivery in told if delivery.status != Status.DELIVERED]
    return still_open(waiting) if waiting else "not booked" if told else "not asked for"


def _cancelled(story: Story, booked_at: datetime | None, cancellation: TakingBack) -> SafeString | str:
    return cancellation.show() if booked_at and story.facts.state is State.FAILED else "-"


def _asked(deliveries: Sequence[Delivery]) -> SafeString:
    return moment(min((delivery.message.published_at for delivery in deliveries), default=None))
