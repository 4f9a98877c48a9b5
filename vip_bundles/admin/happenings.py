"""What has happened to a bundle, as its page tells it: a line for each message and each request, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets_project.admin_site.display import clock, day, link
from tickets_project.outbox.admin.explaining import BADGES
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.admin.waiting import where_it_stands
from vip_bundles.models import STATES, BundleMove
from vip_bundles.timeline import Entry

_NAMES = dict(STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of the timeline.

    :param day: when it is another one than that of the line before
    :param direction: as the bundle sees it: in, out, or by a person
    :param open: deliveries that are not done, with the reason
    :param done: those that are
    """

    at: datetime
    day: SafeString | str
    time: str
    direction: str
    what: SafeString | str
    tells: str
    moves: Sequence[str]
    open: Sequence[SafeString]
    done: Sequence[SafeString]


def happenings(entries: Sequence[Entry]) -> list[Happening]:
    """Return the entries of a timeline as lines."""
    days = [str(day(entry.at)) for entry in entries]
    return [
        _happening(entry, day=day(entry.at) if index == 0 or days[index - 1] != days[index] else "")
        for index, entry in enumerate(entries)
    ]


def _happening(entry: Entry, *, day: SafeString | str) -> Happening:
    done = [delivery for delivery in entry.deliveries if delivery.status == Status.DELIVERED]
    return Happening(
        at=entry.at,
        day=day,
        time=clock(entry.at),
        direction="person" if entry.kind == "request" else entry.direction,
        what=_what(entry),
        tells=entry.reason or entry.tells,
        moves=[_move(move) for move in entry.moves],
        open=[_open(delivery) for delivery in entry.deliveries if delivery.status != Status.DELIVERED],
        done=[_done(delivery) for delivery in done],
    )


def _what(entry: Entry) -> SafeString | str:
    if entry.message_id is None:
        return f"{entry.what} by {entry.by}"
    return link("outbox_message_change", entry.what, entry.message_id)


def _move(move: BundleMove) -> str:
    if move.from_state == move.to_state:
        return f"stays at {_NAMES[move.to_state]}"
    return f"{_NAMES[move.from_state]} → {_NAMES[move.to_state]}"


def _open(delivery: Delivery) -> SafeString:
    return format_html("{} {}", delivery.handler, where_it_stands(delivery))


def _done(delivery: Delivery) -> SafeString:
    return format_html("{} {}", link("outbox_delivery_change", delivery.handler, delivery.pk), BADGES.show("delivered"))
