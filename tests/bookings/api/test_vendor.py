"""The vendor's webhook: what it takes, what it refuses, and what a repetition does."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from bookings.models import Booking, Show, Ticket
from tests.bookings.published import names, payloads
from tests.bookings.threads import at_once
from tests.factories import ShowFactory, pending_booking
from tests.signing import SECRET, post_signed, signature
from tickets_project.api.models import IdempotencyKey
from tickets_project.outbox.models import Message

PATH = "/api/v1/vendor/tickets-status/"
LOST: Any = object()


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> None:
    settings.VENDOR_WEBHOOK_SECRET = SECRET


@pytest.fixture
def vendor() -> APIClient:
    """Return a client that needs no token."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def booking(db: None) -> Booking:  # noqa: ARG001 - opens the database
    return pending_booking(show=ShowFactory.create(dead_nation_id=uuid4()))


def ticket(booking: Booking | None = None, **changes: Any) -> dict[str, Any]:
    """Return what the vendor says of a ticket; a field can be LOST."""
    said = {
        "ticket_id": str(uuid4()),
        "booking_id": str(booking.id if booking else uuid4()),
        "status": "confirmed",
        "customer_email": "ada@vendor.example",
        "price": {"amount": "50.30", "currency": "EUR"},
    }
    return {name: value for name, value in (said | changes).items() if value is not LOST}


def post(client: APIClient, *tickets: dict[str, Any], key: str = "k1", path: str = PATH, **headers: str) -> Any:
    return post_signed(client, path, {"tickets": tickets}, **({"Idempotency-Key": key} | headers))


def refusal(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def assert_nothing_stored(messages: int = 2) -> None:
    """There are the booking's own messages and nothing else."""
    assert not Ticket.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert Message.objects.count() == messages
    assert set(Booking.objects.values_list("status", flat=True)) <= {"pending"}


@pytest.mark.django_db
class TestVendorTicketsView:
    def test_takes_confirmed_and_canceled_tickets_in_one_request(self, vendor: APIClient, booking: Booking) -> None:
        first, second, nobodys = ticket(booking), ticket(booking, status="canceled"), ticket()
        response = post(vendor, first, second, nobodys)
        assert (response.status_code, response.json()) == (200, {"tickets": 3})
        stored = {str(row.id): (row.status, row.booking_id) for row in Ticket.objects.all()}
        assert stored == {
            first["ticket_id"]: ("pending", booking.id),
            second["ticket_id"]: ("cancelled", booking.id),
            nobodys["ticket_id"]: ("pending", None),
        }
        assert Booking.objects.get().status == "confirmed"

    def test_stores_the_price_and_the_address(self, vendor: APIClient, booking: Booking) -> None:
        post(vendor, ticket(booking))
        row = Ticket.objects.get()
        assert (str(row.price), row.customer_email) == ("50.30 EUR", "ada@vendor.example")

    def test_works_without_the_trailing_slash(self, vendor: APIClient, booking: Booking) -> None:
        assert post(vendor, ticket(booking), path=PATH.removesuffix("/")).status_code == 200

    def test_takes_no_more_than_a_thousand_tickets(self, vendor: APIClient) -> None:
        tickets = [ticket(status="canceled") for _ in range(1001)]
        response = post(vendor, *tickets)
        assert refusal(response) == (400, "invalid")
        assert "1000" in str(response.json()["errors"])
        assert_nothing_stored(0)

    def test_shows_the_ticket_to_the_booking_s_owner(
        self, vendor: APIClient, customer: APIClient, ada: User, staff: APIClient
    ) -> None:
        booking = pending_booking(show=ShowFactory.create(dead_nation_id=uuid4()), owner=ada)
        post(vendor, mine := ticket(booking), nobodys := ticket())
        assert [row["ticket_id"] for row in customer.get("/api/v1/tickets/").json()["results"]] == [mine["ticket_id"]]
        assert customer.get(f"/api/v1/bookings/{booking.id}/").json()["status"] == "confirmed"
        assert staff.get(f"/api/v1/tickets/{nobodys['ticket_id']}/").json()["booking_id"] is None

    def test_sends_the_correlation_id_along(self, vendor: APIClient, booking: Booking) -> None:
        post(vendor, ticket(booking), **{"Correlation-ID": "from-the-vendor"})
        assert Message.objects.get(type="ticket.created").headers["correlation_id"] == "from-the-vendor"


@pytest.mark.django_db
class TestRepetition:
    def test_answers_the_same_again(self, vendor: APIClient, booking: Booking) -> None:
        tickets = [ticket(booking), ticket(booking)]
        first = post(vendor, *tickets)
        before = names()
        second = post(vendor, *tickets)
        assert (second.status_code, second.content) == (200, first.content)
        assert second.headers["Idempotent-Replayed"] == "true"
        assert names() == before

    def test_refuses_the_key_for_another_body(self, vendor: APIClient, booking: Booking) -> None:
        post(vendor, first := ticket(booking))
        assert refusal(post(vendor, first | {"status": "canceled"})) == (422, "idempotency_key_reused")
        assert Ticket.objects.get().status == "pending"

    def test_changes_nothing_under_a_new_key(self, vendor: APIClient, booking: Booking) -> None:
        post(vendor, told := ticket(booking))
        before = names()
        assert post(vendor, told, key="k2").status_code == 200
        assert names() == before

    def test_never_revives_a_ticket(self, vendor: APIClient, booking: Booking) -> None:
        told = ticket(booking)
        for number, status in enumerate(["confirmed", "canceled", "confirmed", "canceled", "confirmed"]):
            assert post(vendor, told | {"status": status}, key=f"k{number}").status_code == 200
        assert Ticket.objects.get().status == "cancelled"
        assert len(payloads("TicketBookingConfirmed_v1")) == len(payloads("TicketBookingCanceled_v1")) == 1

    def test_ends_cancelled_when_that_comes_first(self, vendor: APIClient, booking: Booking) -> None:
        told = ticket(booking)
        for number, status in enumerate(["canceled", "confirmed"]):
            assert post(vendor, told | {"status": status}, key=f"k{number}").status_code == 200
        assert Ticket.objects.get().status == "cancelled"
        assert payloads("TicketBookingConfirmed_v1") == []

    def test_may_try_again_what_was_refused(self, vendor: APIClient) -> None:
        told = ticket(pending_booking())
        assert post(vendor, told).status_code == 409
        Show.objects.update(dead_nation_id=uuid4())
        assert post(vendor, told).status_code == 200
        assert Ticket.objects.count() == 1

    def test_keeps_its_keys_apart_from_everybody_else_s(
        self, vendor: APIClient, staff: APIClient, booking: Booking
    ) -> None:
        body = {"show_id": str(booking.show_id), "number_of_tickets": 1}
        assert staff.post("/api/v1/bookings/", body, headers={"Idempotency-Key": "k1"}).status_code == 201
        assert post(vendor, ticket(booking)).status_code == 200
        assert IdempotencyKey.objects.get(caller="vendor").key == "k1"


@pytest.mark.django_db
class TestRefusals:
    def test_needs_a_key(self, vendor: APIClient, booking: Booking) -> None:
        response = post_signed(vendor, PATH, {"tickets": [ticket(booking)]})
        assert refusal(response) == (400, "idempotency_key_required")
        assert_nothing_stored()

    def test_needs_a_proper_key(self, vendor: APIClient, booking: Booking) -> None:
        assert refusal(post(vendor, ticket(booking), key="")) == (400, "invalid_idempotency_key")
        assert_nothing_stored()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"status": "cancelled"}, "status"),
            ({"status": "CONFIRMED"}, "status"),
            ({"status": ""}, "status"),
            ({"status": None}, "status"),
            ({"status": ["confirmed"]}, "status"),
            ({"status": LOST}, "status"),
            ({"ticket_id": "1"}, "ticket_id"),
            ({"ticket_id": 1}, "ticket_id"),
            ({"ticket_id": LOST}, "ticket_id"),
            ({"booking_id": None}, "booking_id"),
            ({"booking_id": LOST}, "booking_id"),
            ({"customer_email": "ada"}, "customer_email"),
            ({"customer_email": f"{'a' * 250}@vendor.example"}, "customer_email"),
            ({"customer_email": LOST}, "customer_email"),
            ({"customer_email": LOST, "email": "ada@vendor.example"}, "email"),
            ({"price": "50.30"}, "price"),
            ({"price": {"amount": 50.3, "currency": "EUR"}}, "amount"),
            ({"price": {"amount": "-1.00", "currency": "EUR"}}, "amount"),
            ({"price": {"amount": "1.00", "currency": "eur"}}, "currency"),
            ({"price": {"amount": "1.00"}}, "currency"),
            ({"price": {"amount": "1.00", "currency": "EUR", "tax": "0"}}, "tax"),
            ({"price": LOST}, "price"),
            ({"seat": "1"}, "seat"),
        ],
    )
    def test_takes_nothing_when_one_ticket_is_wrong(
        self, vendor: APIClient, booking: Booking, changes: dict[str, Any], field: str
    ) -> None:
        response = post(vendor, ticket(booking), ticket(booking, **changes))
        assert refusal(response) == (400, "invalid")
        assert field in json.dumps(response.json()["errors"]["tickets"])
        assert_nothing_stored()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"tickets": []},
            {"tickets": None},
            {"tickets": {}},
            {"tickets": "all"},
            {"tickets": [None]},
            {"tickets": [[]]},
            {"tickets": [], "event": "sale"},
            {"Tickets": []},
        ],
    )
    def test_refuses_another_body(self, vendor: APIClient, booking: Booking, body: dict[str, Any]) -> None:
        del booking
        assert refusal(post_signed(vendor, PATH, body, **{"Idempotency-Key": "k"})) == (400, "invalid")
        assert_nothing_stored()

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"tickets": [], "tickets": []}'])
    def test_refuses_what_is_no_json_object(self, vendor: APIClient, booking: Booking, body: bytes) -> None:
        del booking
        response = post_signed(vendor, PATH, body, **{"Idempotency-Key": "k"})
        assert response.status_code == 400
        assert_nothing_stored()

    def test_refuses_a_show_that_the_vendor_does_not_sell(self, vendor: APIClient, booking: Booking) -> None:
        ours = pending_booking()
        response = post(vendor, ticket(booking), ticket(ours))
        assert refusal(response) == (409, "not_sold_by_vendor")
        assert response.json()["booking_id"] == str(ours.id)
        assert_nothing_stored(4)

    def test_refuses_a_ticket_of_another_booking(self, vendor: APIClient, booking: Booking) -> None:
        first = ticket(booking)
        response = post(vendor, first, ticket(ticket_id=first["ticket_id"]))
        assert refusal(response) == (409, "ticket_of_another_booking")
        assert response.json()["ticket_id"] == first["ticket_id"]
        assert_nothing_stored()

    def test_refuses_what_is_not_signed(self, vendor: APIClient, staff: APIClient, booking: Booking) -> None:
        body = {"tickets": [ticket(booking)]}
        for client in (vendor, staff):
            response = client.post(PATH, body, headers={"Idempotency-Key": "k"})
            assert refusal(response) == (401, "invalid_signature")
            assert response.headers["WWW-Authenticate"] == "StandardWebhooks"
        assert_nothing_stored()

    def test_refuses_what_is_old_or_signed_for_another_body(self, vendor: APIClient, booking: Booking) -> None:
        raw = json.dumps({"tickets": [said := ticket(booking)]}).encode()
        for signed in (signature(raw, at=datetime.now(UTC) - timedelta(minutes=6)), signature(b"{}")):
            assert refusal(post(vendor, said, **signed)) == (401, "invalid_signature")
        assert_nothing_stored()

    def test_is_closed_without_a_secret(self, vendor: APIClient, booking: Booking, settings: Settings) -> None:
        settings.VENDOR_WEBHOOK_SECRET = ""
        assert refusal(post(vendor, ticket(booking))) == (401, "no_vendor_secret")
        assert_nothing_stored()

    def test_is_open_without_a_secret_under_debug(
        self, vendor: APIClient, booking: Booking, settings: Settings
    ) -> None:
        settings.VENDOR_WEBHOOK_SECRET, settings.DEBUG = "", True
        response = vendor.post(PATH, {"tickets": [ticket(booking)]}, headers={"Idempotency-Key": "k"})
        assert response.status_code == 200

    def test_is_only_for_posts(self, vendor: APIClient) -> None:
        response = vendor.get(PATH, headers=signature(b""))
        assert refusal(response) == (405, "method_not_allowed")

    def test_wants_json(self, vendor: APIClient) -> None:
        headers = {"Idempotency-Key": "k", **signature(b"a=b")}
        response = vendor.post(PATH, b"a=b", content_type="text/plain", headers=headers)
        assert refusal(response) == (415, "unsupported_media_type")

    def test_is_throttled_as_one_caller(self, vendor: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
        answers = [post(vendor, ticket(), key=f"k{number}", **{"X-Forwarded-For": "::1"}) for number in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def post_all(self, requests: Sequence[Callable[[], Any]]) -> list[Any]:
        return [getattr(answer, "status_code", answer) for answer in at_once(requests)]

    @pytest.mark.parametrize("known", [True, False])
    def test_stores_each_ticket_once(self, vendor: APIClient, booking: Booking, known: bool) -> None:  # noqa: FBT001
        place = booking if known else None
        first = ticket(place)
        tickets = [first, ticket(place, booking_id=first["booking_id"])]
        requests = [partial(post, vendor, *tickets, key=f"k{number}") for number in range(10)]
        assert self.post_all(requests) == [200] * 10
        assert sorted(Ticket.objects.values_list("status", flat=True)) == ["pending"] * 2
        assert len(payloads("TicketBookingConfirmed_v1")) == len(payloads("ticket.created")) == 2

    def test_does_the_same_request_once(self, vendor: APIClient, booking: Booking) -> None:
        answers = self.post_all([partial(post, vendor, ticket_of_one := ticket(booking))] * 10)
        assert set(answers) <= {200, 409}
        assert 200 in answers
        assert str(Ticket.objects.get().id) == ticket_of_one["ticket_id"]
        assert IdempotencyKey.objects.count() == 1

    def test_ends_cancelled(self, vendor: APIClient, booking: Booking) -> None:
        told = [ticket(booking, status=status, ticket_id=str(booking.id)) for status in ("confirmed", "canceled")]
        requests = [partial(post, vendor, told[number % 2], key=f"k{number}") for number in range(10)]
        assert self.post_all(requests) == [200] * 10
        assert Ticket.objects.get().status == "cancelled"
        assert len(payloads("TicketBookingCanceled_v1")) == 1


@pytest.mark.django_db
class TestSchema:
    def test_tells_how_it_is_signed(self, staff: APIClient) -> None:
        document = staff.get("/api/v1/schema/", headers={"accept": "application/json"}).json()
        operation = document["paths"][PATH]["post"]
        assert operation["security"] == [{"vendorSignature": []}]
        assert document["components"]["securitySchemes"]["vendorSignature"]["name"] == "webhook-signature"
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
