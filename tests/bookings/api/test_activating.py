"""Activating over HTTP: by its owner with its code, or by staff."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from bookings.models import Ticket
from bookings.qr_links import qr_code_url
from tests.bookings.published import names, payload, payloads
from tests.bookings.tickets import entries, now, pending_ticket, ticket_that_is, told, tonight, unbooked_ticket
from tests.factories import StaffFactory
from tests.tickets_project.api.clients import with_token
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db

REQUESTED = "ticket.activation_requested"
NOT_PENDING = ["active", "redeemed", "expired", "cancelled"]
MALFORMED = [
    ("activation_code", ""),
    ("activation_code", "   "),
    ("activation_code", "x" * 33),
    ("activation_code", "AB\0"),
    ("activation_code", 12345678),
    ("activation_code", ["ABCDEFGH"]),
    ("code", "ABCDEFGH"),
    ("status", "active"),
]


@pytest.fixture
def ticket(ada: User) -> Ticket:
    return pending_ticket(ada)


def activate(client: APIClient, ticket: Ticket, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/tickets/{ticket.id}/activate/", body, headers=headers)


def activate_as_staff(client: APIClient, ticket: Ticket, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/admin/tickets/{ticket.id}/activate/", body, headers=headers)


def assert_refused(response: Any, ticket: Ticket, before: list[str], *, by: User, code: str) -> None:
    """Hold that the request and the refusal are recorded, and nothing else happened."""
    problem, stored = response.json(), now(ticket)
    assert (response.status_code, response.headers["Content-Type"]) == (409, "application/problem+json")
    assert (problem["code"], problem["success"], problem["error_type"]) == (code, False, code)
    assert problem["current_status"] == stored.status == ticket.status
    assert names() == [*before, REQUESTED]
    entry = entries(ticket)[-1]
    assert (entry.action, entry.old, entry.new, entry.actor) == ("ticket_activation_refused", "", "", by)
    assert entry.details == {"error_type": code, "current_status": ticket.status}


class TestActivateTicketView:
    def test_activates_with_the_ticket_s_code(self, customer: APIClient, ticket: Ticket) -> None:
        response = activate(customer, ticket, activation_code=ticket.activation_code)
        answered = response.json()
        assert (response.status_code, set(answered), answered["success"]) == (200, {"success", "data"}, True)
        assert answered["data"] == customer.get(f"/api/v1/tickets/{ticket.id}/").json()
        assert answered["data"]["status"] == "active"
        assert answered["data"]["valid_from"] < answered["data"]["valid_until"]
        stored = now(ticket)
        assert (stored.status, stored.activation_code) == ("active", ticket.activation_code)

    @pytest.mark.parametrize("typed", ["{lower}", " {code} ", "{first} {rest}", "{first}-{rest}"])
    def test_takes_the_code_as_people_type_it(self, customer: APIClient, ticket: Ticket, typed: str) -> None:
        code = ticket.activation_code
        text = typed.format(code=code, lower=code.lower(), first=code[:4], rest=code[4:])
        assert activate(customer, ticket, activation_code=text).status_code == 200
        assert now(ticket).activation_code == code

    def test_tells_what_happened(self, customer: APIClient, ticket: Ticket, ada: User) -> None:
        before = names()
        activate(customer, ticket, activation_code=ticket.activation_code)
        assert names() == [*before, REQUESTED, "ticket.activated", "SendNotification"]
        assert payload(REQUESTED) == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "admin_id": None,
            "activation_code": ticket.activation_code,
        }
        assert (payload("ticket.activated")["user_id"], payload("ticket.activated")["admin_id"]) == (ada.pk, None)

    def test_leaves_who_did_it_in_the_audit_trail(self, customer: APIClient, ticket: Ticket, ada: User) -> None:
        activate(customer, ticket, activation_code=ticket.activation_code)
        [entry] = entries(ticket)
        assert (entry.action, entry.old, entry.new) == ("ticket_activated", "pending", "active")
        assert (entry.actor, entry.by, entry.at) == (ada, "ada", now(ticket).activated_at)
        assert entry.details == {"activation_code": ticket.activation_code, "ticket_type": "standard"}

    def test_sends_the_owner_the_way_in(
        self, customer: APIClient, ticket: Ticket, ada: User, settings: Settings
    ) -> None:
        settings.SITE_URL = "https://tickets.example"
        answered = activate(customer, ticket, activation_code=ticket.activation_code).json()["data"]
        sent = told("ticket_activated")
        assert (sent.recipient, sent.email) == (ada, ada.email)
        assert (sent.about_type, sent.about_id) == ("ticket", str(ticket.id))
        assert sent.context == {
            "ticket_id": str(ticket.id),
            "title": "Carmen",
            "ticket_type": "standard",
            "activation_code": ticket.activation_code,
            "qr_code_url": qr_code_url(ticket.id),
            "valid_until": answered["valid_until"],
            "redemption_code": ticket.redemption_code,
        }

    def test_never_tells_the_owner_the_activation_code(self, customer: APIClient, ticket: Ticket) -> None:
        """It comes by mail, which shows that the address is the holder's."""
        pages = [f"tickets/{ticket.id}/", "tickets/", f"bookings/{ticket.booking_id}/", "bookings/"]
        activate(customer, ticket, activation_code="wrong")
        before = [customer.get(f"/api/v1/{page}").content.decode() for page in pages]
        answered = activate(customer, ticket, activation_code=ticket.activation_code).content.decode()
        after = [customer.get(f"/api/v1/{page}").content.decode() for page in pages]
        for page in (*before, answered, *after):
            assert str(ticket.id) in page
            assert ticket.activation_code not in page

    def test_needs_the_code(self, customer: APIClient, ticket: Ticket) -> None:
        before = names()
        for body in ({}, {"activation_code": None}):
            response = activate(customer, ticket, **body)
            assert (response.status_code, list(response.json()["errors"])) == (400, ["activation_code"])
        assert (now(ticket).status, names()) == ("pending", before)

    @pytest.mark.parametrize(("field", "value"), MALFORMED)
    def test_names_the_field_that_is_wrong(self, customer: APIClient, ticket: Ticket, field: str, value: Any) -> None:
        before = names()
        response = activate(customer, ticket, **{"activation_code": ticket.activation_code, field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert (now(ticket).status, names()) == ("pending", before)

    @pytest.mark.parametrize("wrong", ["AAAAAAAA", "-", "0", "ß"])
    def test_refuses_another_code(self, customer: APIClient, ticket: Ticket, ada: User, wrong: str) -> None:
        before = names()
        response = activate(customer, ticket, activation_code=wrong)
        assert_refused(response, ticket, before, by=ada, code="wrong_activation_code")
        assert payload(REQUESTED)["activation_code"] == wrong

    @pytest.mark.parametrize("code", ["-", "- -", "AAAAAAAA"])
    def test_takes_no_code_for_a_ticket_that_has_none(
        self, customer: APIClient, ticket: Ticket, ada: User, code: str
    ) -> None:
        Ticket.objects.filter(id=ticket.id).update(activation_code="")
        before = names()
        response = activate(customer, ticket, activation_code=code)
        assert_refused(response, ticket, before, by=ada, code="wrong_activation_code")

    @pytest.mark.parametrize("status", NOT_PENDING)
    def test_refuses_what_is_not_pending(self, customer: APIClient, ada: User, status: str) -> None:
        ticket = ticket_that_is(status, ada)
        mails, before = Notification.objects.count(), names()
        response = activate(customer, ticket, activation_code=ticket.activation_code)
        assert_refused(response, ticket, before, by=ada, code="ticket_not_pending")
        assert Notification.objects.count() == mails

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient, staff: APIClient, ticket: Ticket) -> None:
        before = names()
        for client in (somebody, staff):
            assert activate(client, ticket, activation_code=ticket.activation_code).status_code == 404
            assert activate(client, Ticket(id=uuid4()), activation_code="AAAAAAAA").status_code == 404
        assert (now(ticket).status, names()) == ("pending", before)

    def test_treats_staff_as_any_owner(self, staff: APIClient, ann: User) -> None:
        ticket = pending_ticket(ann)
        assert activate(staff, ticket).status_code == 400
        assert activate(staff, ticket, activation_code="AAAAAAAA").status_code == 409
        assert activate(staff, ticket, activation_code=ticket.activation_code).status_code == 200
        assert payload("ticket.activated")["admin_id"] is None

    def test_is_not_for_strangers(self, nobody: APIClient, ticket: Ticket) -> None:
        assert activate(nobody, ticket, activation_code=ticket.activation_code).status_code == 401
        assert now(ticket).status == "pending"

    def test_activates_once_under_one_key(self, customer: APIClient, ticket: Ticket) -> None:
        code = ticket.activation_code
        first, second = (activate(customer, ticket, "k", activation_code=code) for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (200, 200, second.content)
        assert len(payloads(REQUESTED)) == len(payloads("ticket.activated")) == 1

    def test_answers_without_its_slash(self, customer: APIClient, ticket: Ticket) -> None:
        url = f"/api/v1/tickets/{ticket.id}/activate"
        assert customer.post(url, {"activation_code": ticket.activation_code}).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestActivateTicketViewTransaction:
    @pytest.mark.parametrize("key", [None, "k"])
    def test_commits_the_request_of_a_refusal(self, customer: APIClient, ada: User, key: str | None) -> None:
        ticket = pending_ticket(ada)
        before = names()
        response = activate(customer, ticket, key, activation_code="wrong")
        assert_refused(response, ticket, before, by=ada, code="wrong_activation_code")


class TestStaffActivateTicketView:
    def test_takes_a_code_that_replaces_the_ticket_s_own(self, staff: APIClient, ticket: Ticket) -> None:
        answered = activate_as_staff(staff, ticket, activation_code="BLUE-7").json()["data"]
        assert answered["activation_code"] == now(ticket).activation_code == "BLUE-7"
        assert payload(REQUESTED)["activation_code"] == "BLUE-7"
        assert told("ticket_activated").context["activation_code"] == "BLUE-7"
        assert entries(ticket)[-1].details["activation_code"] == "BLUE-7"

    @pytest.mark.parametrize("body", [{}, {"activation_code": None}])
    def test_leaves_the_ticket_its_code_when_none_is_given(
        self, staff: APIClient, ticket: Ticket, body: dict[str, Any]
    ) -> None:
        response = activate_as_staff(staff, ticket, **body)
        assert response.status_code == 200
        assert response.json()["data"]["activation_code"] == now(ticket).activation_code == ticket.activation_code
        assert payload(REQUESTED)["activation_code"] is None

    def test_makes_a_code_where_there_is_none(self, staff: APIClient) -> None:
        ticket = unbooked_ticket()
        answered = activate_as_staff(staff, ticket).json()["data"]
        assert answered["activation_code"] == now(ticket).activation_code
        assert len(answered["activation_code"]) == 8

    def test_answers_the_ticket_with_what_its_holder_is_sent(
        self, staff: APIClient, customer: APIClient, ticket: Ticket
    ) -> None:
        response = activate_as_staff(staff, ticket)
        answered = response.json()
        assert (response.status_code, set(answered), answered["success"]) == (200, {"success", "data"}, True)
        shown = customer.get(f"/api/v1/tickets/{ticket.id}/").json()
        url = qr_code_url(ticket.id)
        assert answered["data"] == {**shown, "activation_code": ticket.activation_code, "qr_code_url": url}
        assert (shown["status"], shown["valid_until"] is not None) == ("active", True)
        assert APIClient().get(url).status_code == 200

    def test_tells_the_owner_and_not_who_did_it(self, staff: APIClient, ticket: Ticket, ada: User, ann: User) -> None:
        activate_as_staff(staff, ticket)
        sent = told("ticket_activated")
        assert (sent.recipient, sent.email) == (ada, ada.email)
        for name in (REQUESTED, "ticket.activated"):
            assert (payload(name)["user_id"], payload(name)["admin_id"]) == (ada.pk, ann.pk)
        [entry] = entries(ticket)
        assert (entry.action, entry.old, entry.new, entry.actor) == ("ticket_activated", "pending", "active", ann)

    def test_activates_a_ticket_whose_booking_nobody_knows(self, staff: APIClient, ann: User) -> None:
        ticket = unbooked_ticket()
        response = activate_as_staff(staff, ticket)
        answered = response.json()["data"]
        assert (response.status_code, answered["booking_id"], answered["valid_until"]) == (200, None, None)
        assert (payload("ticket.activated")["user_id"], payload("ticket.activated")["admin_id"]) == (None, ann.pk)
        sent = told("ticket_activated")
        assert (sent.recipient, sent.email, sent.context["valid_until"]) == (None, "eve@customers.example", None)

    @pytest.mark.parametrize("status", NOT_PENDING)
    def test_refuses_what_is_not_pending(self, staff: APIClient, ann: User, status: str) -> None:
        ticket = ticket_that_is(status)
        before = names()
        response = activate_as_staff(staff, ticket, activation_code="BLUE-7")
        assert_refused(response, ticket, before, by=ann, code="ticket_not_pending")
        assert now(ticket).activation_code == ticket.activation_code

    @pytest.mark.parametrize(("field", "value"), MALFORMED)
    def test_names_the_field_that_is_wrong(self, staff: APIClient, ticket: Ticket, field: str, value: Any) -> None:
        response = activate_as_staff(staff, ticket, **{field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert now(ticket).status == "pending"

    def test_is_for_staff_who_may(self, customer: APIClient, nobody: APIClient, ticket: Ticket) -> None:
        for role in ("", "door", "finance"):
            response = activate_as_staff(with_token(StaffFactory.create(role=role)), ticket)
            assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert activate_as_staff(customer, ticket).status_code == 403
        assert activate_as_staff(nobody, ticket).status_code == 401
        assert now(ticket).status == "pending"
        assert activate_as_staff(with_token(StaffFactory.create(role="box office")), ticket).status_code == 200

    def test_is_404_for_an_unknown_ticket(self, staff: APIClient) -> None:
        assert activate_as_staff(staff, Ticket(id=uuid4())).status_code == 404

    def test_activates_once_under_one_key(self, staff: APIClient) -> None:
        ticket = pending_ticket(show=tonight())
        first, second = (activate_as_staff(staff, ticket, "k") for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (200, 200, second.content)
        assert len(payloads(REQUESTED)) == len(payloads("ticket.activated")) == 1
