"""A bundle that has not ended in time is flagged once, and operations hear of it."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from pytest_django import Settings

from tests.factories import NOON, made_bundle
from tests.vip_bundles.stored import (
    audited,
    booking_made,
    confirmed,
    hear,
    inbound_failed,
    leaving_nothing,
    standing,
    stored,
    tell,
)
from tests.working import deliver_due
from tickets_project.audit.acts import Act
from tickets_project.notifications.models import Notification
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import flag_stuck
from vip_bundles.services.deadlines import deadline_from

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DEADLINE = NOON + 15 * MINUTE


def flagged(bundle: VipBundle, *, at: datetime = DEADLINE) -> bool:
    return flag_stuck(vip_bundle_id=bundle.id, act=Act(at=at, automatic="schedule"))


class TestDeadlineFrom:
    def test_is_as_many_minutes_away_as_the_setting_says(self, settings: Settings) -> None:
        assert deadline_from(NOON) == DEADLINE
        settings.VIP_BUNDLE_DEADLINE_MINUTES = 1
        assert deadline_from(NOON) == NOON + MINUTE


class TestFlagStuck:
    def test_flags_at_the_deadline_and_only_once(self) -> None:
        bundle = made_bundle(at=NOON)
        assert [flagged(bundle, at=DEADLINE + seconds * SECOND) for seconds in (-1, 0, 1)] == [False, True, False]
        assert stored(bundle).stuck_at == DEADLINE

    def test_leaves_the_state_as_it_is_and_says_so_in_the_audit_trail(self) -> None:
        bundle = standing(State.BOOKING_TAXI, at=NOON)
        flagged(bundle)
        assert stored(bundle).state == "booking_taxi"
        assert audited(bundle)[-1] == ("bundle_stuck", "", "booking_taxi", "schedule")

    @pytest.mark.parametrize("state", [State.FINALIZED, State.FAILED])
    def test_flags_none_that_has_ended(self, state: State) -> None:
        bundle = standing(state, at=NOON)
        with leaving_nothing():
            assert flagged(bundle) is False

    @pytest.mark.parametrize("state", [state for state in State if state.name.startswith(("INIT", "BOOKING"))])
    def test_flags_in_any_state_before(self, state: State) -> None:
        assert flagged(standing(state, at=NOON)) is True

    def test_tells_operations_where_to_look(self, settings: Settings) -> None:
        settings.OPS_EMAIL = "ops@house.example"
        settings.SITE_URL = "https://tickets.example"
        bundle = standing(State.BOOKING_SHOW, at=NOON)
        flagged(bundle)
        flagged(bundle)
        [notice] = Notification.objects.all()
        assert (notice.template, notice.email, notice.recipient) == ("vip_bundle_stuck", "ops@house.example", None)
        assert notice.about_id == str(bundle.id)
        assert notice.context == {
            "vip_bundle_id": str(bundle.id),
            "title": "Carmen",
            "state": "booking show",
            "waits_for": "BookingMade_v1 or BookingFailed_v1",
            "url": f"https://tickets.example/admin/vip_bundles/vipbundle/{bundle.id}/change/",
        }

    def test_tells_operations_that_it_waits_for_its_tickets(self, settings: Settings) -> None:
        settings.OPS_EMAIL = "ops@house.example"
        bundle = standing(State.BOOKING_SHOW, at=NOON)
        hear(booking_made(bundle), confirmed(bundle))
        tell(inbound_failed(bundle))
        deliver_due("vip_bundles.on_flight_failed")
        flagged(bundle)
        waits_for = Notification.objects.get().context["waits_for"]
        assert waits_for == "1 of 3 tickets are confirmed; when all are, what is booked is taken back"

    def test_tells_nobody_when_the_installation_names_nobody(self, settings: Settings) -> None:
        settings.OPS_EMAIL = ""
        assert flagged(made_bundle(at=NOON)) is True
        assert not Notification.objects.exists()

    def test_needs_a_bundle(self) -> None:
        with pytest.raises(VipBundle.DoesNotExist):
            flag_stuck(vip_bundle_id=uuid4(), act=Act(at=NOON))
