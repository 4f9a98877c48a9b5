"""What has happened to a bundle: each message in and out, what people asked for, and the moves that followed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal
from uuid import UUID

from tickets_project.outbox.models import Delivery, Message, Status
from vip_bundles.events import VipBundleFinalizedV1
from vip_bundles.models import BundleMove, VipBundle
from vip_bundles.wording import TYPES, tell

HEARS_TICKETS = "vip_bundles.on_ticket_confirmed"
"""The handler by which a bundle hears of its tickets."""

MOST_UNHEARD = 1000
"""How many tickets that were not heard of yet, whosever they are, are looked at for a bundle's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message in or out, or what a person asked for.

    :param what: the message's stored name, or "retry" or "roll back"
    :param direction: as the bundle sees it
    :param by: who made it move, empty when it stayed where it was
    :param reason: why a person asked for it, for staff to read; what customers may read is in `tells`
    :param moves: those that it caused, in their order
    :param deliveries: the message's own, one for each handler
    :param tells: what it says, in a few plain words
    """

    at: datetime
    what: str
    kind: Literal["event", "command", "request"]
    direction: Literal["in", "out"]
    message_id: UUID | None
    by: str
    reason: str
    moves: tuple[BundleMove, ...]
    deliveries: tuple[Delivery, ...]
    tells: str


def timeline(bundle: VipBundle) -> list[Entry]:
    """Return what has happened to a bundle, oldest first, in five queries however much it is."""
    moves = list(bundle.moves.all())
    by_message: dict[UUID, list[BundleMove]] = defaultdict(list)
    for move in moves:
        if move.message_id:
            by_message[move.message_id].append(move)
    told = [_of_message(message, by_message[message.id]) for message in _messages_about(bundle)]
    asked = [_of_request(bundle, request) for request in _requests(moves)]
    # A request comes before the messages that it sends; messages are in their order already.
    return sorted([*asked, *told], key=lambda entry: entry.at)


def _messages_about(bundle: VipBundle) -> list[Message]:
    about = [str(aggregate_id) for aggregate_id in (bundle.id, bundle.booking_id, *_ticket_ids(bundle))]
    messages = Message.objects.filter(aggregateid__in=about, type__in=TYPES).prefetch_related("deliveries")
    return list(messages.order_by("published_at", "sequence"))


def _ticket_ids(bundle: VipBundle) -> set[str]:
    """Return the ids of its tickets, those included of whose confirmation it has not heard yet."""
    known = {str(ticket.ticket_id) for ticket in bundle.tickets.all()}
    undelivered = Delivery.objects.filter(handler=HEARS_TICKETS).exclude(status=Status.DELIVERED)
    # No index finds messages by booking. The slice has the database begin with what is not delivered, which is little,
    # and the order has it read that from its index.
    oldest = undelivered.order_by("status", "id").values("message_id")[:MOST_UNHEARD]
    waiting = Message.objects.filter(id__in=oldest)
    unheard = waiting.filter(payload__booking_id=str(bundle.booking_id))
    return known | set(unheard.values_list("aggregateid", flat=True))


def _requests(moves: Iterable[BundleMove]) -> list[tuple[BundleMove, ...]]:
    """Return the moves of each request of a person's."""
    asked = [move for move in moves if move.message_id is None]
    return [tuple(group) for _, group in groupby(asked, key=lambda move: (move.message_type, move.at, move.by))]


def _of_message(message: Message, moves: list[BundleMove]) -> Entry:
    is_command = message.kind == "command"
    return Entry(
        at=message.published_at,
        what=message.type,
        kind="command" if is_command else "event",
        direction="out" if is_command or message.type == VipBundleFinalizedV1.NAME else "in",
        message_id=message.id,
        by=moves[0].by if moves else "",
        reason="",
        moves=tuple(moves),
        deliveries=tuple(sorted(message.deliveries.all(), key=lambda delivery: delivery.pk)),
        tells=tell(message.type, message.payload),
    )


def _of_request(bundle: VipBundle, moves: tuple[BundleMove, ...]) -> Entry:
    request = moves[0]
    return Entry(
        at=request.at,
        what=request.message_type,
        kind="request",
        direction="in",
        message_id=None,
        by=request.by,
        reason=request.reason,
        moves=moves,
        deliveries=(),
        tells=bundle.failure_reason if request.message_type == "roll back" else "",
    )
