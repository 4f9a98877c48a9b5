"""What the tables keep, and what a stored bundle knows."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.factories import NOON, made_bundle
from tests.vip_bundles.stored import confirmed, hear, standing, stored
from vip_bundles.facts import ENDED, Leg, State
from vip_bundles.models import BundleMove, BundleTicket, VipBundle

pytestmark = pytest.mark.django_db


def changed(bundle: VipBundle, **facts: object) -> None:
    """Change a bundle as a person at the database's prompt does."""
    with transaction.atomic():
        VipBundle.objects.filter(id=bundle.id).update(**facts)


class TestVipBundle:
    def test_names_the_show_and_how_many_go(self) -> None:
        assert str(made_bundle(tickets=2)) == "Carmen for 2"

    def test_has_a_seat_for_each_passenger(self) -> None:
        bundle = made_bundle(tickets=2)
        wrong: list[dict[str, object]] = [{"passengers": ["Ada"]}, {"number_of_tickets": 3}, {"passengers": []}]
        for facts in wrong:
            with pytest.raises(IntegrityError, match="vip_bundles_vipbundle_a_seat_each"):
                changed(bundle, **facts)
        changed(bundle, passengers=["Ada"], number_of_tickets=1)

    def test_has_a_ticket_at_least(self) -> None:
        with pytest.raises(IntegrityError, match="vip_bundles_vipbundle_some_tickets"):
            changed(made_bundle(), number_of_tickets=0, passengers=[])

    def test_flies_back_by_another_flight(self) -> None:
        bundle = made_bundle()
        with pytest.raises(IntegrityError, match="vip_bundles_vipbundle_two_flights"):
            changed(bundle, return_flight_id=bundle.inbound_flight_id)
        changed(bundle, return_flight_id=None)

    def test_has_a_booking_of_its_own(self) -> None:
        with pytest.raises(IntegrityError, match="booking_id"):
            changed(made_bundle(), booking_id=made_bundle().booking_id)

    def test_stays_with_its_owner(self) -> None:
        owner = made_bundle().owner
        assert owner is not None
        with pytest.raises(ProtectedError):
            owner.delete()

    @pytest.mark.parametrize("state", [state for state in State if state is not State.ROLLING_BACK])
    def test_has_ended_in_two_states(self, state: State) -> None:
        assert standing(state).has_ended is (state in ENDED)


class TestVipBundleFacts:
    def test_are_what_is_stored(self) -> None:
        bundle = made_bundle(tickets=2, return_flight=False, taxi=False)
        facts = bundle.facts()
        assert (facts.vip_bundle_id, facts.booking_id) == (str(bundle.id), str(bundle.booking_id))
        assert (facts.customer_email, facts.user_id) == (bundle.customer_email, bundle.owner_id)
        assert (facts.show_id, facts.number_of_tickets) == (str(bundle.show_id), 2)
        assert (facts.passengers, facts.wants_taxi) == (("Passenger 1", "Passenger 2"), False)
        assert facts.inbound_leg == Leg(flight_id=str(bundle.inbound_flight_id))
        assert (facts.return_leg, facts.state) == (None, State.INITIALIZED)

    def test_count_the_confirmed_tickets_alone(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        told = confirmed(bundle)
        hear(told)
        BundleTicket.objects.create(bundle=bundle, ticket_id=uuid4(), printed_at=NOON)
        assert bundle.facts().ticket_ids == {told.ticket_id}


class TestVipBundleLearn:
    def test_keeps_all_that_a_bundle_comes_to_know(self) -> None:
        bundle = standing(State.BOOKING_SHOW)
        facts = bundle.facts()
        assert facts.return_leg is not None
        known = replace(
            facts,
            booking_made_at=NOON,
            inbound_leg=replace(facts.inbound_leg, ticket_ids=("i1", "i2"), booked_at=NOON),
            return_leg=replace(facts.return_leg, ticket_ids=("r1",), booked_at=NOON),
            taxi_booking_id="t1",
            taxi_booked_at=NOON,
            failure_reason="no",
        )
        bundle.learn(known)
        bundle.save()
        assert stored(bundle).facts() == known

    def test_leaves_a_bundle_without_a_way_back_without_one(self) -> None:
        bundle = made_bundle(return_flight=False)
        bundle.learn(bundle.facts())
        assert (bundle.return_ticket_ids, bundle.return_booked_at) == ([], None)


class TestBundleTicket:
    def test_belongs_to_one_bundle(self) -> None:
        ticket = BundleTicket.objects.create(bundle=made_bundle(), ticket_id=uuid4())
        assert str(ticket) == str(ticket.ticket_id)
        with pytest.raises(IntegrityError, match="ticket_id"), transaction.atomic():
            BundleTicket.objects.create(bundle=made_bundle(), ticket_id=ticket.ticket_id)


class TestBundleMove:
    def test_reads_oldest_first_as_from_where_to_where(self) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        assert [str(move) for move in BundleMove.objects.filter(bundle=bundle)] == [
            "initialized → booking_show",
            "booking_show → booking_inbound_flight",
        ]

    def test_keeps_its_bundle_from_being_deleted(self) -> None:
        with pytest.raises(ProtectedError):
            standing(State.BOOKING_SHOW).delete()
