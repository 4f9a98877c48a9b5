"""Bundles over HTTP: making them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Booking, Show
from tests.bookings.published import names, payload
from tests.factories import ShowFactory, TicketTypeFactory, UserFactory
from tests.tickets_project.api.clients import with_token
from tests.vip_bundles.stored import ADVANCING, all_rows, leaving_nothing
from tests.working import deliver_all
from tickets_project.audit.models import AuditEntry
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Message
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db

BUNDLES = "/api/v1/vip-bundles/"
INBOUND, RETURN = "b2d0f7a4-6c1e-4e58-8a3b-90d2c4e1f601", "b2d0f7a4-6c1e-4e58-8a3b-90d2c4e1f602"


def body(**fields: Any) -> dict[str, Any]:
    show_id = fields.pop("show_id", None) or str(ShowFactory.create().id)
    wanted = {"show_id": show_id, "number_of_tickets": 2, "passengers": ["Ada", "Bob"], "inbound_flight_id": INBOUND}
    return wanted | fields


def errors(response: Any) -> dict[str, Any]:
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    found: dict[str, Any] = response.json()["errors"]
    return found


class TestBundlesViewPost:
    def test_answers_before_anything_is_booked(self, customer: APIClient, ada: User) -> None:
        show = ShowFactory.create()
        response = customer.post(
            BUNDLES,
            body(show_id=str(show.id), return_flight_id=RETURN, wants_taxi=True, customer_email="eve@e.example"),
        )
        bundle = VipBundle.objects.get()
        answered = response.json()
        assert response.status_code == 201
        assert answered.pop("created_at").endswith("Z")
        assert answered.pop("deadline_at").endswith("Z")
        assert answered == {
            "vip_bundle_id": str(bundle.id),
            "booking_id": str(bundle.booking_id),
            "state": "initialized",
            "waits_for": "VipBundleInitialized_v1",
            "failure_reason": None,
            "stuck": False,
            "stuck_at": None,
            "finalized_at": None,
            "customer_email": "eve@e.example",
            "number_of_tickets": 2,
            "show_id": str(show.id),
            "show_title": "Carmen",
            "passengers": ["Ada", "Bob"],
            "booking_made_at": None,
            "tickets": [],
            "inbound_flight": {"flight_id": INBOUND, "ticket_ids": [], "booked_at": None},
            "return_flight": {"flight_id": RETURN, "ticket_ids": [], "booked_at": None},
            "wants_taxi": True,
            "taxi": None,
        }
        assert (bundle.owner, names(), Booking.objects.count()) == (ada, ["VipBundleInitialized_v1"], 0)
        assert payload("VipBundleInitialized_v1") == {"vip_bundle_id": str(bundle.id)}

    def test_wants_little_when_little_is_said(self, customer: APIClient, ada: User) -> None:
        answered = customer.post(BUNDLES, body()).json()
        wanted = {name: answered[name] for name in ("customer_email", "return_flight", "wants_taxi")}
        assert wanted == {"customer_email": ada.email, "return_flight": None, "wants_taxi": False}

    def test_takes_null_for_no_return_flight(self, customer: APIClient) -> None:
        assert customer.post(BUNDLES, body(return_flight_id=None)).json()["return_flight"] is None

    def test_has_until_the_deadline(self, customer: APIClient, settings: Settings) -> None:
        settings.VIP_BUNDLE_DEADLINE_MINUTES = 7
        customer.post(BUNDLES, body())
        bundle = VipBundle.objects.get()
        assert bundle.deadline_at - bundle.created_at == timedelta(minutes=7)

    def test_is_audited_as_the_customer_s(self, customer: APIClient, ada: User) -> None:
        customer.post(BUNDLES, body())
        made = AuditEntry.objects.get(action="bundle_made")
        assert (made.actor, made.subject_id) == (ada, str(VipBundle.objects.get().id))

    def test_books_under_the_id_that_was_answered(self, customer: APIClient) -> None:
        answered = customer.post(BUNDLES, body()).json()
        deliver_all("vip_bundles.on_initialized", "bookings.book_show_tickets", *ADVANCING)
        assert str(Booking.objects.get().id) == answered["booking_id"]

    def test_calls_nobody(self, customer: APIClient, simulator: Simulator, http: requests.Session) -> None:
        http.get(f"{simulator.url}/transportation-api/taxi-booking")
        assert customer.post(BUNDLES, body()).status_code == 201
        called = http.get(f"{simulator.url}/_simulator/calls").json()["calls"]
        assert [call["operation"] for call in called] == ["taxis.list"]

    @pytest.mark.parametrize("tickets", [1, 50])
    def test_takes_as_many_as_may_travel(self, customer: APIClient, tickets: int) -> None:
        wanted = body(number_of_tickets=tickets, passengers=["x" * 100] * tickets)
        assert customer.post(BUNDLES, wanted).status_code == 201

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("number_of_tickets", 0),
            ("number_of_tickets", -2),
            ("number_of_tickets", 51),
            ("number_of_tickets", 2.5),
            ("number_of_tickets", "2"),
            ("number_of_tickets", None),
            ("number_of_tickets", True),
            ("show_id", "7"),
            ("show_id", 7),
            ("show_id", None),
            ("inbound_flight_id", "LX 2050"),
            ("inbound_flight_id", None),
            ("return_flight_id", "LX 2051"),
            ("return_flight_id", ""),
            ("return_flight_id", INBOUND),
            ("return_flight_id", INBOUND.upper()),
            ("wants_taxi", "true"),
            ("wants_taxi", 1),
            ("wants_taxi", None),
            ("customer_email", "ada"),
            ("customer_email", ""),
            ("customer_email", None),
            ("customer_email", "a\0da@customers.example"),
            ("customer_email", "a" * 250 + "@customers.example"),
            ("passengers", []),
            ("passengers", ["Ada"]),
            ("passengers", ["Ada", "Bob", "Cid"]),
            ("passengers", ["Ada", ""]),
            ("passengers", ["Ada", " \t"]),
            ("passengers", ["Ada", None]),
            ("passengers", ["Ada", 7]),
            ("passengers", ["Ada", ["Bob"]]),
            ("passengers", ["Ada", "B\0b"]),
            ("passengers", ["Ada", "b" * 101]),
            ("passengers", "Ada, Bob"),
            ("passengers", {"0": "Ada", "1": "Bob"}),
            ("passengers", None),
            ("email", "ada@customers.example"),
            ("booking_id", "5cb71d2e-3f44-4c0b-9a6e-1f0b7a2d9c11"),
            ("state", "finalized"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, customer: APIClient, field: str, value: object) -> None:
        wanted = body() | {field: value}
        with leaving_nothing():
            assert list(errors(customer.post(BUNDLES, wanted))) == [field]

    @pytest.mark.parametrize("field", ["show_id", "number_of_tickets", "passengers", "inbound_flight_id"])
    def test_names_the_field_that_is_missing(self, customer: APIClient, field: str) -> None:
        wanted = body()
        del wanted[field]
        assert errors(customer.post(BUNDLES, wanted)) == {field: ["This field is required."]}

    def test_says_how_many_passengers_it_takes(self, customer: APIClient) -> None:
        found = errors(customer.post(BUNDLES, body(passengers=["Ada"])))
        assert found == {"passengers": ["Name one passenger for each ticket: there are 1 for 2."]}

    def test_needs_another_flight_back(self, customer: APIClient) -> None:
        found = errors(customer.post(BUNDLES, body(return_flight_id=INBOUND)))
        assert found == {"return_flight_id": ["Give another flight than inbound_flight_id."]}

    def test_keeps_names_without_the_spaces_around_them(self, customer: APIClient) -> None:
        assert customer.post(BUNDLES, body(passengers=[" Ada ", "Bob"])).json()["passengers"] == ["Ada", "Bob"]

    def test_needs_an_address_when_the_account_has_none(self) -> None:
        client = with_token(UserFactory.create(email=""))
        assert list(errors(client.post(BUNDLES, body()))) == ["customer_email"]
        assert client.post(BUNDLES, body(customer_email="eve@customers.example")).status_code == 201

    def test_refuses_an_unknown_show(self, customer: APIClient) -> None:
        with leaving_nothing():
            response = customer.post(BUNDLES, body(show_id=str(uuid4())))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_refuses_a_show_that_has_started(self, customer: APIClient) -> None:
        show = ShowFactory.create(start_time=timezone.now() - timedelta(minutes=1))
        with leaving_nothing():
            response = customer.post(BUNDLES, body(show_id=str(show.id)))
        assert (response.status_code, response.json()["code"]) == (409, "show_has_started")

    def test_refuses_a_show_that_makes_no_tickets(self, customer: APIClient) -> None:
        show = ShowFactory.create(ticket_type=TicketTypeFactory.create(name="stands", makes_tickets=False))
        with leaving_nothing():
            response = customer.post(BUNDLES, body(show_id=str(show.id)))
        assert (response.status_code, response.json()["code"]) == (409, "show_makes_no_tickets")

    def test_takes_a_show_that_is_sold_out(self, customer: APIClient) -> None:
        """That is found out when its seats are booked, and the bundle fails."""
        show = ShowFactory.create(number_of_tickets=1)
        assert customer.post(BUNDLES, body(show_id=str(show.id))).status_code == 201

    def test_makes_one_under_one_key(self, customer: APIClient) -> None:
        asked = body()
        first, second = (customer.post(BUNDLES, asked, headers={"Idempotency-Key": "k"}) for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (201, 201, second.content)
        assert (VipBundle.objects.count(), names()) == (1, ["VipBundleInitialized_v1"])

    def test_makes_two_without_a_key(self, customer: APIClient) -> None:
        asked = body()
        first, second = (customer.post(BUNDLES, asked).json() for _ in range(2))
        assert first["vip_bundle_id"] != second["vip_bundle_id"]
        assert first["booking_id"] != second["booking_id"]

    def test_refuses_the_key_for_another_body(self, customer: APIClient) -> None:
        asked = body()
        customer.post(BUNDLES, asked, headers={"Idempotency-Key": "k"})
        before = all_rows()
        response = customer.post(BUNDLES, asked | {"wants_taxi": True}, headers={"Idempotency-Key": "k"})
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
        assert all_rows() == before

    def test_takes_a_refused_key_again(self, customer: APIClient) -> None:
        show = ShowFactory.create(start_time=timezone.now() - timedelta(minutes=1))
        asked = body(show_id=str(show.id))
        assert customer.post(BUNDLES, asked, headers={"Idempotency-Key": "k"}).status_code == 409
        Show.objects.update(start_time=timezone.now() + timedelta(days=1))
        assert customer.post(BUNDLES, asked, headers={"Idempotency-Key": "k"}).status_code == 201

    def test_stores_the_request_s_trace_with_all_that_follows(self, customer: APIClient) -> None:
        response = customer.post(BUNDLES, body(), headers={"Correlation-ID": "door-7"})
        assert response.headers["Correlation-ID"] == "door-7"
        deliver_all("vip_bundles.on_initialized", "bookings.book_show_tickets", *ADVANCING)
        traces = dict(Message.objects.values_list("type", "headers__correlation_id"))
        assert {"VipBundleInitialized_v1", "BookShowTickets", "BookingMade_v1", "BookFlight"} <= traces.keys()
        assert set(traces.values()) == {"door-7"}

    def test_is_throttled(self, customer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": "1/min"})
        assert customer.post(BUNDLES, body()).status_code == 201
        response = customer.post(BUNDLES, body())
        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert int(response.headers["Retry-After"]) >= 1

    def test_answers_both_slash_forms(self, customer: APIClient) -> None:
        assert customer.post(BUNDLES.rstrip("/"), body()).status_code == 201

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        wanted = body()
        with leaving_nothing():
            response = nobody.post(BUNDLES, wanted)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
