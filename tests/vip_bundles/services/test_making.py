"""A bundle is made with its announcement and its audit row, or not at all; the database keeps what a bundle is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, ProgrammingError
from pytest_django import Settings

from tests.bookings.traces import refusing_inserts
from tests.factories import NOON, UserFactory
from tests.vip_bundles.stored import audited, leaving_nothing, sent, stored
from tickets_project.audit.acts import Act
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.models import Message as StoredMessage
from vip_bundles.models import BundleMove, BundleTicket, VipBundle
from vip_bundles.services import make_bundle
from vip_bundles.services.making import BundleShow, Journey

pytestmark = pytest.mark.django_db

SHOW = BundleShow(show_id=UUID(int=1), title="Carmen")
THERE, BACK = UUID(int=2), UUID(int=3)


def made(owner: User | None = None, **facts: Any) -> VipBundle:
    owner = owner or UserFactory.create()
    journey: dict[str, Any] = {
        "passengers": ["Ada", "Bob"],
        "inbound_flight_id": THERE,
        "return_flight_id": BACK,
        "wants_taxi": True,
    }
    return make_bundle(
        vip_bundle_id=facts.pop("vip_bundle_id", None) or uuid4(),
        booking_id=facts.pop("booking_id", None) or uuid4(),
        show=SHOW,
        journey=Journey(**journey | facts),
        customer_email="ada@customers.example",
        owner=owner,
        act=Act(at=NOON, actor=owner),
    )


class TestMakeBundle:
    def test_stores_what_is_wanted_and_nothing_booked(self) -> None:
        ada = UserFactory.create()
        bundle = stored(made(ada, vip_bundle_id=UUID(int=4), booking_id=UUID(int=5)))
        assert (bundle.id, bundle.booking_id, bundle.owner) == (UUID(int=4), UUID(int=5), ada)
        assert (bundle.show_id, bundle.show_title, bundle.customer_email) == (
            SHOW.show_id,
            "Carmen",
            "ada@customers.example",
        )
        assert (bundle.passengers, bundle.number_of_tickets) == (["Ada", "Bob"], 2)
        assert (bundle.inbound_flight_id, bundle.return_flight_id, bundle.wants_taxi) == (THERE, BACK, True)
        assert (bundle.state, bundle.created_at, bundle.stuck_at) == ("initialized", NOON, None)
        assert not BundleTicket.objects.exists()
        assert not BundleMove.objects.exists()
        assert not any(bundle.facts().is_done(step) for step in bundle.facts().steps)

    def test_announces_it(self) -> None:
        bundle = made()
        assert sent("VipBundleInitialized_v1") == [{"vip_bundle_id": str(bundle.id)}]
        assert StoredMessage.objects.count() == 1
        assert Delivery.objects.get().handler == "vip_bundles.on_initialized"

    def test_is_audited_as_done_by_whoever_asked(self) -> None:
        ada = UserFactory.create(username="ada")
        assert audited(made(ada)) == [("bundle_made", "", "initialized", "ada")]

    def test_gives_it_a_deadline(self, settings: Settings) -> None:
        assert made().deadline_at == NOON + timedelta(minutes=15)
        settings.VIP_BUNDLE_DEADLINE_MINUTES = 3
        assert made().deadline_at == NOON + timedelta(minutes=3)

    @pytest.mark.parametrize(
        "failing",
        [
            lambda: refusing_inserts("vip_bundles_vipbundle"),
            lambda: refusing_inserts("audit_auditentry"),
            lambda: refusing_inserts("outbox_message"),
            lambda: refusing_inserts("outbox_delivery"),
        ],
    )
    def test_leaves_nothing_when_a_part_fails(self, failing: Callable[[], AbstractContextManager[None]]) -> None:
        owner = UserFactory.create()
        with leaving_nothing(), failing(), pytest.raises(ProgrammingError, match="broken"):
            made(owner)


class TestMakeBundleRefusals:
    @pytest.mark.parametrize(
        ("facts", "constraint"),
        [
            ({"passengers": []}, "vip_bundles_vipbundle_some_tickets"),
            ({"return_flight_id": THERE}, "vip_bundles_vipbundle_two_flights"),
        ],
    )
    def test_leaves_nothing_of_what_no_bundle_is(self, facts: dict[str, Any], constraint: str) -> None:
        owner = UserFactory.create()
        with leaving_nothing(), pytest.raises(IntegrityError, match=constraint):
            made(owner, **facts)

    def test_takes_no_id_twice(self) -> None:
        owner = UserFactory.create()
        first = made(owner)
        for taken in ({"vip_bundle_id": first.id}, {"booking_id": first.booking_id}):
            with leaving_nothing(), pytest.raises(IntegrityError, match="unique"):
                made(owner, **taken)

    def test_needs_no_return_flight(self) -> None:
        assert stored(made(return_flight_id=None)).facts().return_leg is None
