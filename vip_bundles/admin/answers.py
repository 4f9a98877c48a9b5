"""The four questions that somebody who opens a bundle's page has, answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets_project.admin_site.display import Badges, age, moment
from tickets_project.outbox.models import Delivery
from vip_bundles.admin.stories import Story
from vip_bundles.admin.taking_back import TakingBack, all_taken_back
from vip_bundles.admin.waiting import (
    NOTHING,
    STATES,
    STUCK,
    TAKING_BACK,
    in_words,
    waited_for,
    where_it_stands,
)
from vip_bundles.facts import State
from vip_bundles.models import STATES as NAMES
from vip_bundles.queries import lacks_tickets, what_they_wait_for

Shown = SafeString | str

_DONE = Badges({"all taken back": "success", "being taken back": "warning"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, and what is shown below it, a line each."""

    question: str
    lines: Sequence[Shown]


def answers(story: Story) -> list[Answer]:
    """Return what is to be known first."""
    return [
        Answer("Where does it stand?", list(_stands(story))),
        Answer("What does it wait for?", list(_waits(story)) or ["Nothing."]),
        Answer("What failed, and why?", list(_failed(story)) or ["Nothing."]),
        Answer("Is everything taken back?", list(_taken_back(story))),
    ]


def _stands(story: Story) -> Iterable[Shown]:
    bundle, now = story.bundle, timezone.now()
    stuck = STUCK.show("stuck") if bundle.stuck_at else ""
    yield format_html("{} {}", STATES.show(bundle.state), stuck)
    if bundle.finalized_at:
        yield format_html("ended {}, {}", moment(bundle.finalized_at), _after(bundle.created_at, bundle.finalized_at))
        return
    since = age(bundle.created_at, now)
    yield format_html("begun {}, {}", moment(bundle.created_at), since if since == "now" else f"{since} ago")
    word = "deadline was" if bundle.deadline_at <= now else "deadline is"
    yield format_html("{} {}", word, moment(bundle.deadline_at))


def _after(begun_at: datetime, ended_at: datetime) -> str:
    lasted = age(begun_at, ended_at)
    return "within a minute" if lasted == "now" else f"after {lasted}"


def _waits(story: Story) -> Iterable[Shown]:
    """Yield what it waits for; what is still to be taken back is another question."""
    waiting = [each for each in waited_for(story.bundle, story.deliveries) if each.handler not in TAKING_BACK]
    if awaited := what_they_wait_for([story.bundle])[story.bundle.pk]:
        yield f"{in_words(story.bundle)}: {awaited}"
    elif waiting:
        yield "It has ended. What may still become known of it:"
    for handler, deliveries in groupby(sorted(waiting, key=_handler), key=_handler):
        first, *others = deliveries
        more = f" (and {len(others)} more)" if others else ""
        yield format_html("{}: {}{}", handler, where_it_stands(first), more)
    if awaited and not waiting:
        yield NOTHING.show("nothing on its way")
    if story.facts.state is State.FINALIZED and lacks_tickets(story.bundle):
        yield f"{len(story.facts.ticket_ids)} of {story.facts.number_of_tickets} tickets are confirmed."


def _handler(delivery: Delivery) -> str:
    return delivery.handler


def _failed(story: Story) -> Iterable[Shown]:
    failure = next((move for move in story.moves if move.is_failure), None)
    if failure is None:
        return
    step = dict(NAMES)[failure.from_state]
    # Without a message a person wanted it.
    how = f"{step} failed" if failure.message_id else f"rolled back by {failure.by} while {step}"
    yield format_html("{}, {}", how, moment(failure.at))
    yield story.bundle.failure_reason or "No reason was given."


def _taken_back(story: Story) -> Iterable[Shown]:
    if story.facts.state is not State.FAILED:
        yield "It has not failed: there is nothing to take back."
        return
    booked = all_taken_back(story)
    everything = [each for kind in booked.values() for each in kind]
    if not everything:
        yield "Nothing of it was booked."
        return
    done = all(each.done_at for each in everything)
    yield _DONE.show("all taken back" if done else "being taken back")
    yield from (_counted(kind, each) for kind, each in booked.items() if each)


def _counted(kind: str, booked: Sequence[TakingBack]) -> Shown:
    """Tell how many of a kind are taken back, and where the most urgent of the others stands."""
    still = [each for each in booked if not each.done_at]
    counted = f"{kind}: {len(booked) - len(still)} of {len(booked)} {booked[0].word}"
    if not still:
        return counted
    return format_html("{}, {}", counted, next((each for each in still if each.needs_a_person), still[0]).show())
