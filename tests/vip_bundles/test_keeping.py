"""Which messages stay for the sake of bundles, however old they are."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.factories import made_bundle, staff_act
from tests.vip_bundles.stored import standing, stored
from tests.working import deliver_all
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.pruning import prune
from vip_bundles.facts import State
from vip_bundles.keeping import still_needed
from vip_bundles.models import VipBundle
from vip_bundles.services import roll_back
from vip_bundles.timeline import timeline

pytestmark = pytest.mark.django_db


def ids_of(bundle: VipBundle) -> set[str]:
    tickets = bundle.tickets.values_list("ticket_id", flat=True)
    return {str(bundle.id), str(bundle.booking_id), *map(str, tickets)}


def needed(bundle: VipBundle, *, since: datetime | None = None) -> set[str]:
    """Ask about the bundle, and about what is none's."""
    return still_needed({*ids_of(bundle), str(uuid4()), "no uuid"}, since=since or timezone.now())


class TestStillNeeded:
    def test_is_a_bundle_that_has_not_ended_with_its_booking_and_tickets(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        assert len(ids_of(bundle)) == 5
        assert needed(bundle) == ids_of(bundle)

    def test_is_one_of_which_nothing_is_booked_yet(self) -> None:
        bundle = made_bundle()
        assert needed(bundle) == ids_of(bundle)

    def test_is_one_that_ended_since_then(self) -> None:
        bundle = standing(State.FINALIZED)
        assert needed(bundle, since=timezone.now() - timedelta(hours=1)) == ids_of(bundle)

    @pytest.mark.parametrize("end", [State.FINALIZED, State.FAILED])
    def test_is_not_one_that_had_ended_before(self, end: State) -> None:
        assert needed(standing(end)) == set()

    def test_is_nothing_when_nothing_is_asked_for(self) -> None:
        assert still_needed(set(), since=timezone.now()) == set()


class TestPruningBesideBundles:
    @pytest.fixture(autouse=True)
    def _retention(self, settings: Settings) -> None:
        settings.OUTBOX_KEEP_DELIVERED_DAYS = settings.OUTBOX_KEEP_MESSAGES_DAYS = 1

    def grow_old(self) -> None:
        long_ago = timezone.now() - timedelta(days=5)
        Message.objects.update(published_at=long_ago)
        Delivery.objects.update(status="delivered", delivered_at=long_ago)

    def test_leaves_the_whole_timeline_of_one_that_has_not_ended(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        self.grow_old()
        before = [entry.message_id for entry in timeline(bundle)]
        assert len(before) > 5
        prune(at=timezone.now())
        assert [entry.message_id for entry in timeline(stored(bundle))] == before

    def test_leaves_it_when_it_ends_after_all(self) -> None:
        bundle = standing(State.BOOKING_TAXI)
        self.grow_old()
        before = len(timeline(bundle))
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="no answer"))
        deliver_all("vip_bundles.on_initialized")
        prune(at=timezone.now())
        assert len(timeline(stored(bundle))) > before

    def test_takes_it_when_the_bundle_has_been_over_for_long_enough(self) -> None:
        bundle = standing(State.FINALIZED)
        self.grow_old()
        VipBundle.objects.update(finalized_at=timezone.now() - timedelta(days=2))
        prune(at=timezone.now())
        assert timeline(stored(bundle)) == []
