"""Bundles over HTTP: reading them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from printing.events import TicketPrintedV1
from tests.factories import NOON, StaffFactory, UserFactory, made_bundle, staff_act
from tests.tickets_project.api.clients import with_token
from tests.vip_bundles.stored import (
    ADVANCING,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    standing,
    stored,
    tell,
)
from tests.working import deliver_all, deliver_due
from tickets_project.outbox.models import Delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.services import flag_stuck, retry_step, roll_back

pytestmark = pytest.mark.django_db

BUNDLES = "/api/v1/vip-bundles/"
FOR_STAFF = {"message_id", "by", "reason", "deliveries"}


def ids(response: Any) -> list[str]:
    assert response.status_code == 200
    return [bundle["vip_bundle_id"] for bundle in response.json()["results"]]


def one(client: APIClient, bundle: VipBundle) -> Any:
    response = client.get(f"{BUNDLES}{bundle.id}/")
    assert response.status_code == 200
    return response.json()


def stuck(**facts: Any) -> VipBundle:
    """Make a bundle whose deadline is over."""
    at = timezone.now() - timedelta(hours=1)
    bundle = made_bundle(at=at, **facts)
    assert flag_stuck(vip_bundle_id=bundle.id, act=staff_act())
    return stored(bundle)


class TestBundlesViewGet:
    def test_lists_the_caller_s_own(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        own, others = made_bundle(owner=ada), made_bundle()
        assert ids(customer.get(BUNDLES)) == [str(own.id)]
        assert set(ids(staff.get(BUNDLES))) == {str(own.id), str(others.id)}

    def test_lists_all_for_staff_with_the_permission_alone(self) -> None:
        made_bundle()
        for role in ("ops", "box office", "finance"):
            assert len(ids(with_token(StaffFactory.create(role=role)).get(BUNDLES))) == 1
        for role in ("door", ""):
            clerk = StaffFactory.create(role=role)
            own = made_bundle(owner=clerk)
            assert ids(with_token(clerk).get(BUNDLES)) == [str(own.id)]

    def test_lists_the_newest_first(self, customer: APIClient, ada: User) -> None:
        made = [made_bundle(owner=ada, at=NOON + timedelta(minutes=minute)) for minute in (2, 1, 3)]
        expected = [str(made[index].id) for index in (2, 0, 1)]
        assert ids(customer.get(BUNDLES)) == expected
        first = customer.get(BUNDLES, {"page_size": 2})
        assert ids(first) + ids(customer.get(first.json()["next"])) == expected

    def test_shows_each_without_its_timeline(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_TAXI, owner=ada)
        [listed] = customer.get(BUNDLES).json()["results"]
        whole = one(customer, bundle)
        assert whole.pop("timeline")
        assert listed == whole

    def test_filters_by_state(self, staff: APIClient) -> None:
        new, failed = made_bundle(), standing(State.FAILED)
        assert ids(staff.get(BUNDLES, {"state": "failed"})) == [str(failed.id)]
        assert str(new.id) not in ids(staff.get(BUNDLES, {"state": "finalized"}))

    def test_filters_by_when_they_were_made(self, staff: APIClient) -> None:
        bundle, second = made_bundle(at=NOON), timedelta(seconds=1)
        for limits, found in [
            ({"from": NOON}, True),
            ({"from": NOON + second}, False),
            ({"to": NOON}, True),
            ({"to": NOON - second}, False),
            ({"from": NOON, "to": NOON}, True),
        ]:
            texts = {name: at.isoformat() for name, at in limits.items()}
            assert ids(staff.get(BUNDLES, texts)) == ([str(bundle.id)] if found else [])

    def test_filters_by_whether_they_are_stuck(self, staff: APIClient) -> None:
        late, other = stuck(), made_bundle()
        assert ids(staff.get(BUNDLES, {"stuck": "true"})) == [str(late.id)]
        assert ids(staff.get(BUNDLES, {"stuck": "false"})) == [str(other.id)]

    @pytest.mark.parametrize("truth", ["true", "false"])
    def test_filters_by_that_for_staff_alone(self, customer: APIClient, truth: str) -> None:
        for client in (customer, with_token(StaffFactory.create(role="door"))):
            response = client.get(BUNDLES, {"stuck": truth})
            assert (response.status_code, response.json()["code"]) == (403, "permission_denied")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("state", "odd"),
            ("stuck", "odd"),
            ("stuck", "1"),
            ("from", "yesterday"),
            ("to", "2026-13-01T00:00:00Z"),
            ("from", "2026-01-01T00:00:00"),
            ("page_size", "0"),
            ("cursor", "odd"),
        ],
    )
    def test_refuses_odd_filters(self, staff: APIClient, name: str, value: str) -> None:
        response = staff.get(BUNDLES, {name: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [name])

    @pytest.mark.parametrize("name", ["state", "stuck", "from", "cursor"])
    def test_refuses_nul_in_a_filter(self, staff: APIClient, name: str) -> None:
        assert staff.get(BUNDLES, {name: "\0"}).status_code == 400

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, customer: APIClient, ada: User, django_assert_num_queries: Any
    ) -> None:
        made_bundle(owner=ada)
        # The token and its user, the rows, their tickets, and the failures that they have not heard of.
        with django_assert_num_queries(4):
            assert len(ids(customer.get(BUNDLES))) == 1
        for state in State:
            if state is not State.ROLLING_BACK:
                standing(state, owner=ada)
        with django_assert_num_queries(4):
            assert len(ids(customer.get(BUNDLES))) == len(State)

    def test_answers_both_slash_forms(self, customer: APIClient, ada: User) -> None:
        made_bundle(owner=ada)
        assert len(ids(customer.get(BUNDLES.rstrip("/")))) == 1

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(BUNDLES).status_code == 401


class TestBundleViewFacts:
    def test_has_all_that_is_booked(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.FINALIZED, owner=ada, tickets=1)
        [ticket] = bundle.tickets.all()
        tell(TicketPrintedV1(ticket_id=str(ticket.ticket_id), file_name="a.html", booking_id=str(bundle.booking_id)))
        deliver_all("vip_bundles.record_printed")
        found = one(customer, bundle)
        times = [found.pop(name) for name in ("created_at", "deadline_at", "booking_made_at", "finalized_at")] + [
            found["tickets"][0].pop(name) for name in ("confirmed_at", "printed_at")
        ]
        times += [found[name].pop("booked_at") for name in ("inbound_flight", "return_flight", "taxi")]
        assert all(time.endswith("Z") for time in times)
        assert found.pop("timeline")
        assert found == {
            "vip_bundle_id": str(bundle.id),
            "booking_id": str(bundle.booking_id),
            "state": "finalized",
            "waits_for": None,
            "failure_reason": None,
            "stuck": False,
            "stuck_at": None,
            "customer_email": ada.email,
            "number_of_tickets": 1,
            "show_id": str(bundle.show_id),
            "show_title": "Carmen",
            "passengers": ["Passenger 1"],
            "tickets": [{"ticket_id": str(ticket.ticket_id), "file_name": "a.html", "refunded_at": None}],
            "inbound_flight": {"flight_id": str(bundle.inbound_flight_id), "ticket_ids": ["i1", "i2"]},
            "return_flight": {"flight_id": str(bundle.return_flight_id), "ticket_ids": ["r1", "r2"]},
            "wants_taxi": True,
            "taxi": {"booking_id": "t1"},
        }

    def test_says_why_it_failed(self, customer: APIClient, ada: User) -> None:
        found = one(customer, standing(State.FAILED, owner=ada))
        assert (found["state"], found["failure_reason"], found["waits_for"]) == ("failed", "no taxi", None)

    def test_says_that_it_is_stuck(self, customer: APIClient, ada: User) -> None:
        bundle = stuck(owner=ada)
        found = one(customer, bundle)
        assert (found["stuck"], found["stuck_at"] > found["deadline_at"]) == (True, True)

    def test_is_there_without_its_slash(self, customer: APIClient, ada: User) -> None:
        assert customer.get(f"{BUNDLES}{made_bundle(owner=ada).id}").status_code == 200


class TestBundleViewWaitsFor:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.BOOKING_SHOW, "BookingMade_v1 or BookingFailed_v1"),
            (State.BOOKING_INBOUND_FLIGHT, "FlightBooked_v1 or FlightBookingFailed_v1"),
            (State.BOOKING_TAXI, "TaxiBooked_v1 or TaxiBookingFailed_v1"),
        ],
    )
    def test_is_the_answer_to_its_step(self, customer: APIClient, ada: User, state: State, expected: str) -> None:
        assert one(customer, standing(state, owner=ada))["waits_for"] == expected

    @pytest.mark.parametrize(
        ("status", "then"),
        [
            ("pending", "; when all are, what is booked is taken back"),
            ("parked", ", and its step has failed: a person has to roll it back"),
        ],
    )
    def test_is_the_tickets_once_its_step_has_failed(
        self, customer: APIClient, ada: User, status: str, then: str
    ) -> None:
        bundle, other = standing(State.BOOKING_SHOW, owner=ada), standing(State.BOOKING_SHOW, owner=ada)
        for each in (bundle, other):
            hear(booking_made(each), confirmed(each), confirmed(each))
        [failure] = tell(inbound_failed(bundle))
        deliver_due(*ADVANCING)
        Delivery.objects.filter(message=failure).update(status=status)
        expected = f"2 of 3 tickets are confirmed{then}"
        assert one(customer, bundle)["waits_for"] == expected
        listed = {each["vip_bundle_id"]: each["waits_for"] for each in customer.get(BUNDLES).json()["results"]}
        assert listed == {
            str(bundle.id): expected,
            str(other.id): "FlightBooked_v1 or FlightBookingFailed_v1",
        }

    def test_is_the_answer_to_its_step_when_another_one_had_failed(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_SHOW, owner=ada)
        hear(booking_made(bundle))
        tell(inbound_failed(bundle))
        deliver_due(*ADVANCING)
        hear(inbound_booked(bundle))
        found = one(customer, bundle)
        assert (found["state"], found["waits_for"]) == (
            "booking_return_flight",
            "FlightBooked_v1 or FlightBookingFailed_v1",
        )

    def test_is_nothing_once_they_are_there(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_SHOW, owner=ada, tickets=1)
        hear(booking_made(bundle), inbound_failed(bundle))
        hear(confirmed(bundle))
        found = one(customer, bundle)
        assert (found["state"], found["waits_for"]) == ("failed", None)

    def test_is_no_ticket_when_all_are_confirmed_and_the_failure_is_next(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, owner=ada)
        tell(inbound_failed(bundle))
        assert one(customer, bundle)["waits_for"] == "FlightBooked_v1 or FlightBookingFailed_v1"

    def test_is_the_answer_again_when_the_failure_was_discarded(self, customer: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_SHOW, owner=ada)
        hear(booking_made(bundle))
        [failure] = tell(inbound_failed(bundle))
        Delivery.objects.filter(message=failure).update(status="discarded")
        assert one(customer, bundle)["waits_for"] == "FlightBooked_v1 or FlightBookingFailed_v1"


class TestBundleViewTimeline:
    def test_tells_its_owner_what_happened(self, customer: APIClient, ada: User) -> None:
        found = one(customer, standing(State.BOOKING_INBOUND_FLIGHT, owner=ada, tickets=1))["timeline"]
        assert all(entry.pop("at").endswith("Z") for entry in found)
        first, *_, last = found
        assert first == {
            "what": "VipBundleInitialized_v1",
            "kind": "event",
            "direction": "in",
            "tells": "",
            "moves": [{"from_state": "initialized", "to_state": "booking_show"}],
        }
        assert (last["what"], last["kind"], last["direction"], last["moves"]) == ("BookFlight", "command", "out", [])
        assert last["tells"].endswith(": 1 passenger")

    def test_tells_staff_who_and_how_far(self, staff: APIClient) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT, tickets=1)
        act = staff_act(reason="nothing came")
        retry_step(vip_bundle_id=bundle.id, act=act)
        *_, request, command = one(staff, bundle)["timeline"]
        delivery = Delivery.objects.filter(message__type="BookFlight").latest("id")
        assert (request["by"], request["message_id"], request["deliveries"]) == (act.by, None, [])
        assert (request["reason"], request["tells"]) == ("nothing came", "")
        assert command["message_id"] == str(delivery.message_id)
        assert command["deliveries"] == [
            {
                "delivery_id": delivery.id,
                "handler": "vip_bundles.book_flight",
                "status": "pending",
                "attempts": 0,
                "delivered_at": None,
            }
        ]

    def test_tells_its_owner_nothing_of_the_house(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        bundle = standing(State.BOOKING_SHOW, owner=ada, tickets=1)
        retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="nothing came"))
        hear(booking_made(bundle))
        tell(inbound_failed(bundle))
        deliver_due(*ADVANCING)
        Delivery.objects.update(last_error="Traceback: /srv/tickets")
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="the customer is ill"))
        told = customer.get(f"{BUNDLES}{bundle.id}/")
        assert not any(FOR_STAFF & entry.keys() for entry in told.json()["timeline"])
        for secret in ("Traceback", "staff", "nothing came", "on_flight_failed", "delivery", "message_id"):
            assert secret not in told.content.decode()
        assert all(entry.keys() >= FOR_STAFF for entry in one(staff, bundle)["timeline"])

    def test_tells_staff_no_more_of_their_own_without_the_permission(self) -> None:
        clerk = StaffFactory.create(role="door")
        bundle = made_bundle(owner=clerk)
        assert not any(FOR_STAFF & entry.keys() for entry in one(with_token(clerk), bundle)["timeline"])

    def test_asks_the_database_as_often_for_much_as_for_little(
        self, customer: APIClient, ada: User, django_assert_num_queries: Any
    ) -> None:
        much = standing(State.BOOKING_TAXI, owner=ada, tickets=20)
        much.tickets.update(confirmed_at=None)
        for bundle in (made_bundle(owner=ada, tickets=1), much):
            # As above, then its moves, the tickets that it has not heard of, its messages and their deliveries.
            with django_assert_num_queries(8):
                one(customer, bundle)


class TestBundleViewPermissions:
    def test_answers_its_owner_and_staff(self, customer: APIClient, ada: User) -> None:
        bundle = made_bundle(owner=ada)
        clients = [customer, *[with_token(StaffFactory.create(role=role)) for role in ("ops", "box office", "finance")]]
        for client in clients:
            assert one(client, bundle)["vip_bundle_id"] == str(bundle.id)

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient) -> None:
        bundle = made_bundle()
        superuser = UserFactory.create(is_superuser=True)
        door, none = (StaffFactory.create(role=role) for role in ("door", ""))
        for client in (somebody, *map(with_token, (superuser, door, none))):
            for bundle_id in (bundle.id, uuid4()):
                response = client.get(f"{BUNDLES}{bundle_id}/")
                assert (response.status_code, response.json()["detail"]) == (404, "Not found.")

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        assert nobody.get(f"{BUNDLES}{made_bundle().id}/").status_code == 401
