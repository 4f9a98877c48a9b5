"""The shows of the demo."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from bookings.models import Activation, Show, TicketType
from bookings.services import STANDARD, make_show
from tickets_project.audit.acts import Act
from tickets_project.gateway.simulator.vendor import SILENT_EVENT_ID
from tickets_project.values import Money

CARMEN, NABUCCO, ORCHARD, REHEARSAL, GIOVANNI = (
    "Carmen",
    "Nabucco",
    "The Cherry Orchard",
    "Open Rehearsal",
    "Don Giovanni",
)
WALK_IN = "walk-in"
# Title, venue, hours until it starts, seats, price, ticket type.
SHOWS = [
    (CARMEN, "Teatro Real, Madrid", 30 * 24, 1200, "85.00", STANDARD),
    (NABUCCO, "Arena di Verona", 45 * 24, 5000, "49.50", STANDARD),
    (ORCHARD, "Small Stage, Almere", 7 * 24, 40, "18.00", STANDARD),
    (REHEARSAL, "Small Stage, Almere", 2, 60, "12.00", WALK_IN),
    (GIOVANNI, "Estates Theatre, Prague", 60 * 24, 600, "70.00", STANDARD),
]
# The vendor takes bookings of this one and never says another word.
SOLD_BY_VENDOR = {GIOVANNI: UUID(SILENT_EVENT_ID)}


def make_shows(act: Act) -> dict[str, Show]:
    """Put the shows up; return them by their titles."""
    TicketType.objects.get_or_create(name=WALK_IN, defaults={"activation": Activation.ON_CONFIRMATION})
    return {facts[0]: _show(act, facts) for facts in SHOWS}


def _show(act: Act, facts: tuple[str, str, int, int, str, str]) -> Show:
    title, venue, hours, seats, price, ticket_type = facts
    return make_show(
        act=act,
        title=title,
        venue=venue,
        start_time=act.at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours),
        number_of_tickets=seats,
        price=Money(amount=Decimal(price), currency="EUR"),
        ticket_type=ticket_type,
        dead_nation_id=SOLD_BY_VENDOR.get(title),
    )
