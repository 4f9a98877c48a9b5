"""What of a bundle was booked, and where its taking back stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.commands import RefundTicket
from bookings.events import TicketRefundedV1
from tickets_project.admin_site.display import Badges, moment
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.admin.stories import Story
from vip_bundles.admin.waiting import NOTHING, TAKING_BACK, most_urgent, where_it_stands
from vip_bundles.commands import CancelFlightTickets, CancelTaxi
from vip_bundles.models import BundleTicket

BADGES = Badges({"refunded": "success", "cancelled": "success", "asked for": "warning"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingBack:
    """Something that was booked, and how far it is taken back.

    :param word: what it is once it is
    :param done_at: when that was
    :param deliveries: the commands that ask for it, and the events that tell of it
    """

    word: str
    done_at: datetime | None
    deliveries: Sequence[Delivery]

    @property
    def open(self) -> list[Delivery]:
        """Return what it waits for, the most urgent first."""
        return most_urgent(each for each in self.deliveries if each.status != Status.DELIVERED)

    @property
    def needs_a_person(self) -> bool:
        """Tell whether it does not get done by itself, as long as it is not done."""
        return not self.open or self.open[0].status != Status.PENDING

    def show(self) -> SafeString:
        """Return when it was done, or what it waits for."""
        if self.done_at:
            return format_html("<span>{} {}</span>", BADGES.show(self.word), moment(self.done_at))
        if self.open:
            return where_it_stands(self.open[0])
        # A refund may be left to a person.
        return BADGES.show("asked for") if self.deliveries else NOTHING.show("nothing on its way")


def refund_of(story: Story, ticket: BundleTicket) -> TakingBack:
    """Return the refund of a ticket: it is done when the money is back, not when it was asked for."""
    ticket_id = str(ticket.ticket_id)
    about = story.deliveries_of(RefundTicket.NAME, TicketRefundedV1.NAME, ticket_id=ticket_id)
    told = [delivery for delivery in about if delivery.handler in TAKING_BACK]
    return TakingBack(word="refunded", done_at=ticket.refunded_at, deliveries=told)


def cancellation_of_flight(story: Story, flight_ticket_ids: Sequence[str]) -> TakingBack:
    """Return the cancellation of a flight's tickets."""
    return _cancellation(story.deliveries_of(CancelFlightTickets.NAME, flight_ticket_id=list(flight_ticket_ids)))


def cancellation_of_taxi(story: Story) -> TakingBack:
    """Return the cancellation of the taxi."""
    return _cancellation(story.deliveries_of(CancelTaxi.NAME, taxi_booking_id=story.facts.taxi_booking_id))


def all_taken_back(story: Story) -> dict[str, list[TakingBack]]:
    """Return what of each kind is booked, and so is to be taken back once the bundle has failed."""
    facts = story.facts
    return {
        "tickets": [refund_of(story, ticket) for ticket in story.tickets if ticket.confirmed_at],
        "flights": [cancellation_of_flight(story, leg.ticket_ids) for leg in facts.legs.values() if leg.booked_at],
        "taxi": [cancellation_of_taxi(story)] if facts.taxi_booked_at else [],
    }


def _cancellation(commands: Sequence[Delivery]) -> TakingBack:
    # A command that was sent twice has done it once.
    done_at = min((each.delivered_at for each in commands if each.delivered_at), default=None)
    return TakingBack(word="cancelled", done_at=done_at, deliveries=commands)
