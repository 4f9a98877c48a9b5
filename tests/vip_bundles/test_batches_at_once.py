"""Two dispatchers with batches about the same bundles: neither waits in a circle for the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any
from uuid import UUID

import pytest
from django.db.models.signals import post_save
from structlog.testing import capture_logs

from tests.bookings.threads import at_once
from tests.factories import made_bundle
from tests.vip_bundles.dispatchers import advancing_alone
from tests.vip_bundles.stored import booking_made, confirmed, standing, stored, tell
from tests.working import claim_due
from tickets_project.outbox import delivering
from tickets_project.outbox.delivering import Batch, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.messages import Message
from tickets_project.outbox.subscriptions import Subscriptions
from tickets_project.outbox.worker.grouping import by_handler
from vip_bundles.facts import State
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db(transaction=True)

UseTable = Callable[[Subscriptions], None]


@dataclass(frozen=True)
class Answers:
    """How many deliveries two dispatchers have left, each, and why."""

    left: list[Any]
    errors: list[str]


@contextmanager
def meeting_after_the_first_change() -> Iterator[None]:
    """Let a dispatcher that has changed its first bundle wait until the other has, unless that one waits for it."""
    both = Barrier(2)

    def wait(**_signal: Any) -> None:
        try:
            both.wait(2)
        except BrokenBarrierError:
            return

    post_save.connect(wait, sender=VipBundle)
    try:
        yield
    finally:
        post_save.disconnect(wait, sender=VipBundle)


def batch_of(*messages: Message) -> Batch:
    """Publish the messages, and return what a dispatcher commits together of them."""
    tell(*messages)
    effects = [(claim, prepare(claim)) for claim in claim_due()]
    [group] = by_handler([(claim, effect) for claim, effect in effects if not isinstance(effect, Undelivered)])
    return group


def committed(*batches: Batch) -> Answers:
    """Commit two batches at once, in the order of each."""
    with meeting_after_the_first_change(), capture_logs() as lines:
        left = at_once([partial(commit_together, batch) for batch in batches])
    return Answers(left=[len(each) for each in left if isinstance(each, list)], errors=[str(line) for line in lines])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "TOGETHER_SECONDS", 60)


def two_bundles() -> list[VipBundle]:
    """Return two bundles that wait for their show, in the order of their bookings."""
    bundles = [standing(State.BOOKING_SHOW), standing(State.BOOKING_SHOW)]
    return sorted(bundles, key=lambda bundle: str(bundle.booking_id))


def crossing_batches() -> list[Batch]:
    """Return two batches with a ticket of each bundle; by their own ids the tickets are in opposite orders."""
    first, second = two_bundles()
    numbered = [(first, 1), (second, 4)], [(second, 2), (first, 3)]
    return [batch_of(*(confirmed(bundle, str(UUID(int=number))) for bundle, number in each)) for each in numbered]


class TestTicketsOfTwoBundles:
    def test_stop_each_other_with_the_order_off(self, table: UseTable) -> None:
        """Shows that the next test would fail without the order."""
        table(advancing_alone(locks_by=""))
        answers = committed(*crossing_batches())
        assert sorted(answers.left) == [0, 2]
        assert any("deadlock detected" in error for error in answers.errors)

    def test_are_committed_one_batch_after_the_other(self, table: UseTable) -> None:
        table(advancing_alone())
        answers = committed(*crossing_batches())
        assert answers.left == [0, 0]
        assert not any("deadlock" in error for error in answers.errors)
        assert {len(bundle.facts().ticket_ids) for bundle in VipBundle.objects.all()} == {2}


class TestTicketsAndTheirBookings:
    def test_are_committed_one_batch_after_the_other(self, table: UseTable) -> None:
        table(advancing_alone())
        first, second = two_bundles()
        made = batch_of(booking_made(second), booking_made(first))
        tickets = batch_of(confirmed(second, str(UUID(int=1))), confirmed(first, str(UUID(int=2))))
        assert committed(made, tickets).left == [0, 0]
        assert {stored(bundle).state for bundle in (first, second)} == {"booking_inbound_flight"}


class TestBundlesThatBegin:
    def test_are_committed_one_by_one_since_their_ids_are_in_another_order_than_their_bookings(
        self, table: UseTable
    ) -> None:
        table(advancing_alone())
        for _ in range(3):
            made_bundle()
        effects = [(claim, prepare(claim)) for claim in claim_due("vip_bundles.on_initialized")]
        groups = by_handler([(claim, effect) for claim, effect in effects if not isinstance(effect, Undelivered)])
        assert [len(group) for group in groups] == [1, 1, 1]
