"""Where a dispatcher begins to claim, and what it finds all the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Timer
from time import sleep

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from tests.factories import DeliveryFactory
from tests.processes import database_url, eventually
from tests.tickets_project.outbox.conftest import Listener
from tests.tickets_project.outbox.dispatchers import all_delivered, dispatching, happen
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.worker.low_water import LONGEST_PUBLISHING, PAUSE_SECONDS, LowWater

pytestmark = pytest.mark.django_db(transaction=True)

HANDLER, MINUTE = "bookings.record_printed", timedelta(minutes=1)


@pytest.fixture
def low_water() -> LowWater:
    return LowWater([HANDLER])


def mark(low_water: LowWater) -> datetime:
    return datetime.fromisoformat(json.loads(low_water.since)[HANDLER])


class TestLowWater:
    def test_begins_with_all(self, low_water: LowWater) -> None:
        assert json.loads(low_water.since) == {}

    def test_leaves_room_for_what_is_being_published(self, low_water: LowWater) -> None:
        due = DeliveryFactory.create(available_at=timezone.now() - MINUTE)
        assert low_water.look()
        assert mark(low_water) == due.available_at - LONGEST_PUBLISHING

    def test_looks_again_only_after_a_while(self, low_water: LowWater) -> None:
        assert not low_water.look()
        first = mark(low_water)
        # It has not looked, so it does not say that there is nothing.
        assert low_water.look()
        assert mark(low_water) == first
        sleep(PAUSE_SECONDS)
        assert not low_water.look()
        assert mark(low_water) > first

    def test_goes_back_to_what_came_late(self, low_water: LowWater) -> None:
        low_water.look()
        late = DeliveryFactory.create(available_at=timezone.now() - MINUTE)
        sleep(PAUSE_SECONDS)
        assert low_water.look()
        assert mark(low_water) < late.available_at

    def test_looks_as_seldom_as_a_look_is_dear(self, low_water: LowWater) -> None:
        with locked_for(seconds=0.2):
            low_water.look()
        first = mark(low_water)
        sleep(2 * PAUSE_SECONDS)
        low_water.look()
        assert mark(low_water) == first

    def test_delivers_what_was_published_long_before_it_was_committed(self, listener: Listener) -> None:
        with dispatching():
            happen()
            eventually(all_delivered)
            with transaction.atomic():
                happen()
                Delivery.objects.filter(status="pending").update(available_at=timezone.now() - MINUTE)
            eventually(all_delivered, seconds=5)
        assert len(listener.heard) == 2


@contextmanager
def locked_for(*, seconds: float) -> Iterator[None]:
    """Let nobody read the deliveries for so long."""
    with psycopg.connect(database_url()) as other:
        other.execute("LOCK TABLE outbox_delivery")
        release = Timer(seconds, other.rollback)
        release.start()
        yield
        release.join()
