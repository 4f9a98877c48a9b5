"""All that is read of a bundle for its page, once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects

from tickets_project.outbox.models import Delivery, Status
from vip_bundles.facts import Bundle
from vip_bundles.models import BundleMove, BundleTicket, VipBundle
from vip_bundles.timeline import Entry, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A bundle, what is known of it, and what has happened to it, oldest first."""

    bundle: VipBundle
    facts: Bundle
    entries: Sequence[Entry]

    @property
    def moves(self) -> Sequence[BundleMove]:
        """Return its moves, oldest first."""
        return list(self.bundle.moves.all())

    @property
    def tickets(self) -> Sequence[BundleTicket]:
        """Return its tickets, those first that were confirmed first."""
        return sorted(self.bundle.tickets.all(), key=lambda ticket: ticket.pk)

    @property
    def deliveries(self) -> list[Delivery]:
        """Return the deliveries of its messages, with these."""
        return [delivery for entry in self.entries for delivery in entry.deliveries]

    def deliveries_of(self, *message_types: str, **said: Any) -> list[Delivery]:
        """Return those of messages of these types that say so."""
        return [
            delivery
            for delivery in self.deliveries
            if delivery.message.type in message_types and _says(delivery.message.payload, said)
        ]

    @property
    def about(self) -> list[str]:
        """Return the ids of the bundle, its booking and its tickets."""
        tickets = (str(ticket.ticket_id) for ticket in self.tickets)
        return [str(self.bundle.pk), str(self.bundle.booking_id), *tickets]


def story_of(bundle: VipBundle) -> Story:
    """Read what there is of a bundle."""
    prefetch_related_objects([bundle], "moves", "tickets")
    story = Story(bundle=bundle, facts=bundle.facts(), entries=timeline(bundle))
    with_who_discarded(story.deliveries)
    return story


def with_who_discarded(deliveries: Iterable[Delivery]) -> None:
    """Hang on each delivery that was discarded who did it."""
    prefetch_related_objects([row for row in deliveries if row.status == Status.DISCARDED], "interventions")


def _says(payload: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    return all(payload.get(name) == value for name, value in said.items())
