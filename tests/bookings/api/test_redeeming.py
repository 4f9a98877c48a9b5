"""Scans at the door, over HTTP: who gets in, who does not and why, and what each scan leaves behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Scan, Ticket
from bookings.services import undo_scan
from tests.bookings.published import names, payload, payloads
from tests.bookings.tickets import (
    activated,
    active_ticket,
    entries,
    now,
    pending_ticket,
    scanned,
    ticket_that_is,
    told,
    tonight,
    unbooked_ticket,
)
from tests.factories import StaffFactory, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db

REDEEM = "/api/v1/admin/tickets/redeem/"
REQUESTED = "ticket.redemption_requested"


@pytest.fixture
def ticket(ada: User) -> Ticket:
    return active_ticket(ada)


def redeem(client: APIClient, code: str, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(REDEEM, {"redemption_code": code} | body, headers=headers)


def too_early() -> Ticket:
    return active_ticket(show=tonight(start_time=timezone.now() + timedelta(hours=4)))


def too_late() -> Ticket:
    """Return an active ticket that nobody has marked as expired yet."""
    ticket = active_ticket()
    Ticket.objects.filter(id=ticket.id).update(valid_until=timezone.now() - timedelta(seconds=1))
    return now(ticket)


REFUSED: list[tuple[str, Callable[[], Ticket], list[str]]] = [
    ("not_active", lambda: ticket_that_is("pending"), []),
    ("not_yet_valid", too_early, ["valid_from"]),
    ("expired", lambda: ticket_that_is("expired"), ["valid_until"]),
    ("cancelled", lambda: ticket_that_is("cancelled"), ["cancelled_at"]),
    ("already_redeemed", lambda: ticket_that_is("redeemed"), ["redeemed_at", "redeemed_by", "location"]),
]
"""What the door refuses: the code, a ticket of that kind, and what the answer tells besides."""


def utc(text: str) -> str:
    return text.replace("+00:00", "Z")


class TestRedeemTicketView:
    def test_lets_the_holder_in(self, staff: APIClient, ticket: Ticket) -> None:
        response = redeem(staff, ticket.redemption_code, location="North door")
        answered, stored, scan = response.json(), now(ticket), Scan.objects.get()
        assert (response.status_code, set(answered), answered["success"]) == (200, {"success", "data"}, True)
        assert stored.redeemed_at is not None
        assert stored.valid_from is not None
        assert stored.valid_until is not None
        assert answered["data"] == {
            "scan_id": str(scan.id),
            "ticket_id": str(ticket.id),
            "booking_id": str(ticket.booking_id),
            "status": "redeemed",
            "title": "Carmen",
            "ticket_type": "standard",
            "redemption_code": ticket.redemption_code,
            "valid_from": utc(stored.valid_from.isoformat()),
            "valid_until": utc(stored.valid_until.isoformat()),
            "redeemed_at": utc(stored.redeemed_at.isoformat()),
            "redeemed_by": "ann",
            "location": "North door",
        }

    def test_stores_who_let_them_in_when_and_where(self, staff: APIClient, ann: User, ticket: Ticket) -> None:
        start = timezone.now()
        redeem(staff, ticket.redemption_code, location="North door", nonce="n1")
        stored, scan = now(ticket), Scan.objects.get()
        assert (stored.status, stored.redeemed_by, stored.redeemed_location) == ("redeemed", ann, "North door")
        assert stored.redeemed_at == scan.scanned_at
        assert start <= scan.scanned_at <= timezone.now()
        assert (scan.ticket, scan.outcome, scan.code) == (ticket, "redeemed", ticket.redemption_code)
        assert (scan.scanned_by, scan.location, scan.nonce, scan.answer) == (ann, "North door", "n1", {})

    def test_tells_what_happened(self, staff: APIClient, ada: User, ann: User, ticket: Ticket) -> None:
        before = names()
        redeem(staff, ticket.redemption_code, location="North door")
        assert names() == [*before, REQUESTED, "ticket.redeemed", "SendNotification"]
        assert payload(REQUESTED) == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "redemption_code": ticket.redemption_code,
            "location": "North door",
        }
        assert (payload("ticket.redeemed")["user_id"], payload("ticket.redeemed")["redeemed_by"]) == (ada.pk, ann.pk)

    def test_leaves_the_scan_in_the_audit_trail(self, staff: APIClient, ann: User, ticket: Ticket) -> None:
        redeem(staff, ticket.redemption_code, location="North door", nonce="n1")
        entry = entries(ticket)[-1]
        assert (entry.action, entry.old, entry.new) == ("ticket_redeemed", "active", "redeemed")
        assert (entry.actor, entry.by, entry.at) == (ann, "ann", now(ticket).redeemed_at)
        assert entry.details == {"location": "North door", "staff": "ann", "nonce": "n1"}

    def test_tells_the_owner_and_not_the_scanner(self, staff: APIClient, ada: User, ticket: Ticket) -> None:
        answered = redeem(staff, ticket.redemption_code, location="North door").json()["data"]
        sent = told("ticket_redeemed")
        assert (sent.recipient, sent.email) == (ada, ada.email)
        assert (sent.about_type, sent.about_id) == ("ticket", str(ticket.id))
        assert sent.context == {
            "ticket_id": str(ticket.id),
            "title": "Carmen",
            "redeemed_at": answered["redeemed_at"],
            "location": "North door",
        }

    @pytest.mark.parametrize("body", [{}, {"location": ""}])
    def test_needs_no_location(self, staff: APIClient, ticket: Ticket, body: dict[str, str]) -> None:
        assert redeem(staff, ticket.redemption_code, **body).json()["data"]["location"] == ""
        assert (payload(REQUESTED)["location"], payload("ticket.redeemed")["location"]) == (None, None)
        assert told("ticket_redeemed").context["location"] is None

    @pytest.mark.parametrize(
        "typed", ["{lower}", " {code}\n", "{first} {rest}", "{first}-{rest}", "{first}\u00a0{rest}"]
    )
    def test_takes_the_code_as_people_type_it(self, staff: APIClient, ticket: Ticket, typed: str) -> None:
        code = ticket.redemption_code
        text = typed.format(code=code, lower=code.lower(), first=code[:4], rest=code[4:])
        response = redeem(staff, text)
        assert (response.status_code, response.json()["data"]["redemption_code"]) == (200, code)

    def test_lets_in_the_holder_of_a_ticket_whose_booking_nobody_knows(self, staff: APIClient) -> None:
        ticket = activated(unbooked_ticket())
        answered = redeem(staff, ticket.redemption_code).json()["data"]
        assert (answered["booking_id"], answered["valid_until"]) == (None, None)
        assert answered["title"] == f"vendor booking {ticket.vendor_booking_id}"
        assert payload("ticket.redeemed")["user_id"] is None
        assert (told("ticket_redeemed").recipient, told("ticket_redeemed").email) == (None, "eve@customers.example")

    def test_tells_the_door_nothing_of_the_customer(self, ada: User, ticket: Ticket) -> None:
        door = with_token(StaffFactory.create(role="door"))
        for _ in ("redeemed", "already_redeemed"):
            page = redeem(door, ticket.redemption_code).content.decode()
            for secret in (ada.email, ada.username, "10.00", ticket.activation_code):
                assert secret not in page

    def test_is_for_staff_who_may(self, customer: APIClient, nobody: APIClient, ticket: Ticket) -> None:
        before = names()
        for role in ("", "box office", "finance"):
            response = redeem(with_token(StaffFactory.create(role=role)), ticket.redemption_code)
            assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert redeem(customer, ticket.redemption_code).status_code == 403
        assert redeem(nobody, ticket.redemption_code).status_code == 401
        assert (now(ticket).status, Scan.objects.count(), names()) == ("active", 0, before)
        assert redeem(with_token(StaffFactory.create(role="door")), ticket.redemption_code).status_code == 200

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("redemption_code", ""),
            ("redemption_code", "  "),
            ("redemption_code", None),
            ("redemption_code", 7),
            ("redemption_code", "x" * 101),
            ("redemption_code", "A\0B"),
            ("location", None),
            ("location", "x" * 201),
            ("location", ["North door"]),
            ("nonce", ""),
            ("nonce", "x" * 101),
            ("nonce", 1),
            ("ticket_id", "7"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, staff: APIClient, ticket: Ticket, field: str, value: Any) -> None:
        before = names()
        response = redeem(staff, **{"code": ticket.redemption_code, field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert (now(ticket).status, Scan.objects.count(), names()) == ("active", 0, before)

    def test_needs_a_code(self, staff: APIClient) -> None:
        assert staff.post(REDEEM, {}).json()["errors"] == {"redemption_code": ["This field is required."]}

    def test_scans_once_under_one_key(self, staff: APIClient, ticket: Ticket) -> None:
        first, second = (redeem(staff, ticket.redemption_code, "k") for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (200, 200, second.content)
        assert Scan.objects.count() == len(payloads(REQUESTED)) == 1

    def test_answers_without_its_slash(self, staff: APIClient, ticket: Ticket) -> None:
        assert staff.post(REDEEM.rstrip("/"), {"redemption_code": ticket.redemption_code}).status_code == 200


class TestRedeemTicketViewRefusals:
    @pytest.mark.parametrize(("code", "make", "members"), REFUSED)
    def test_refuses_and_keeps_the_scan(
        self, staff: APIClient, ann: User, code: str, make: Callable[[], Ticket], members: list[str]
    ) -> None:
        ticket = make()
        mails, before, earlier = Notification.objects.count(), names(), Scan.objects.count()
        response = redeem(staff, ticket.redemption_code, location="North door")
        problem, scan = response.json(), Scan.objects.latest("scanned_at")
        assert (response.status_code, response.headers["Content-Type"]) == (409, "application/problem+json")
        assert (problem["code"], problem["success"], problem["error_type"]) == (code, False, code)
        told_besides = {name: problem[name] for name in ["current_status", *members]}
        assert None not in told_besides.values()
        assert set(problem) - set(told_besides) == {
            "type", "title", "status", "detail", "code", "success", "error_type"
        }  # fmt: skip
        assert (Scan.objects.count(), scan.ticket, scan.outcome) == (earlier + 1, ticket, code)
        assert (scan.scanned_by, scan.location) == (ann, "North door")
        assert scan.answer == {"detail": problem["detail"], "extensions": told_besides}
        assert (now(ticket).status, Notification.objects.count()) == (ticket.status, mails)
        assert names() == [*before, REQUESTED]
        entry = entries(ticket)[-1]
        assert (entry.action, entry.old, entry.new, entry.actor) == ("ticket_redemption_refused", "", "", ann)
        assert entry.details == {"error_type": code, **told_besides}

    def test_says_what_it_refuses_for(self, staff: APIClient) -> None:
        early, late, cancelled = too_early(), ticket_that_is("expired"), ticket_that_is("cancelled")
        for ticket, field, expected in [
            (early, "valid_from", early.valid_from),
            (late, "valid_until", late.valid_until),
            (cancelled, "cancelled_at", cancelled.cancelled_at),
        ]:
            assert expected is not None
            assert redeem(staff, ticket.redemption_code).json()[field] == utc(expected.isoformat())

    def test_says_who_let_in_the_holder_when_and_where(self, staff: APIClient, ticket: Ticket) -> None:
        first = scanned(ticket, location="South door")
        problem = redeem(staff, ticket.redemption_code, location="North door").json()
        assert problem["redeemed_at"] == utc(first.scanned_at.isoformat())
        assert (problem["redeemed_by"], problem["location"]) == (first.scanned_by.username, "South door")
        assert problem["current_status"] == "redeemed"

    def test_refuses_a_code_of_no_ticket(self, staff: APIClient, ann: User) -> None:
        before = names()
        response = redeem(staff, "abcd efgh jkmn pqrs", location="North door")
        problem, scan = response.json(), Scan.objects.get()
        assert (response.status_code, problem["code"], problem["error_type"]) == (409, "unknown_code", "unknown_code")
        assert (scan.ticket, scan.code, scan.outcome) == (None, "abcd efgh jkmn pqrs", "unknown_code")
        assert names() == [*before, REQUESTED]
        assert payload(REQUESTED) == {
            "ticket_id": None,
            "user_id": None,
            "redemption_code": "abcd efgh jkmn pqrs",
            "location": "North door",
        }
        entry = AuditEntry.objects.get(action="ticket_redemption_refused")
        assert (entry.subject_type, entry.subject_id, entry.actor) == ("scan", "abcd efgh jkmn pqrs", ann)
        assert entry.details == {"error_type": "unknown_code"}

    @pytest.mark.parametrize("code", ["x" * 100, "🎟" * 100, "-", "ß", "ŉ" * 100, "'; DROP TABLE", "%", "\ufeff"])
    def test_survives_what_scanners_read(self, staff: APIClient, code: str) -> None:
        assert redeem(staff, code).json()["code"] == "unknown_code"
        assert Scan.objects.get().code == code

    def test_marks_what_has_expired_once(self, staff: APIClient, ann: User) -> None:
        ticket = too_late()
        before = names()
        first, second = (redeem(staff, ticket.redemption_code).json() for _ in range(2))
        assert first == second
        assert (first["code"], first["current_status"], now(ticket).status) == ("expired", "expired", "expired")
        assert names() == [*before, REQUESTED, "ticket.expired", REQUESTED]
        *_, expired, refused, again = entries(ticket)
        assert (expired.action, expired.old, expired.new, expired.actor) == ("ticket_expired", "active", "expired", ann)
        assert refused.action == again.action == "ticket_redemption_refused"

    def test_stores_each_scan_without_a_nonce(self, staff: APIClient, ticket: Ticket) -> None:
        statuses = [redeem(staff, ticket.redemption_code, nonce=None).status_code for _ in range(3)]
        assert statuses == [200, 409, 409]
        outcomes = Scan.objects.order_by("scanned_at").values_list("outcome", flat=True)
        assert list(outcomes) == ["redeemed", "already_redeemed", "already_redeemed"]

    def test_scans_a_refused_code_anew_under_its_key(self, staff: APIClient) -> None:
        ticket = pending_ticket()
        assert redeem(staff, ticket.redemption_code, "k").status_code == 409
        activated(ticket)
        assert redeem(staff, ticket.redemption_code, "k").status_code == 200
        assert Scan.objects.count() == 2


class TestRedeemTicketViewNonce:
    def test_answers_a_repeated_scan_alike(self, staff: APIClient, ticket: Ticket) -> None:
        first = redeem(staff, ticket.redemption_code, location="North door", nonce="n1")
        before, audited = names(), AuditEntry.objects.count()
        again = redeem(staff, ticket.redemption_code, location="North door", nonce="n1")
        assert (again.status_code, again.content) == (first.status_code, first.content) == (200, first.content)
        assert (Scan.objects.count(), names(), AuditEntry.objects.count()) == (1, before, audited)

    @pytest.mark.parametrize("make", [make for _, make, _ in REFUSED])
    def test_answers_a_repeated_refusal_alike(self, staff: APIClient, make: Callable[[], Ticket]) -> None:
        ticket = make()
        first = redeem(staff, ticket.redemption_code, nonce="n1")
        stored, before, audited = Scan.objects.count(), names(), AuditEntry.objects.count()
        again = redeem(staff, ticket.redemption_code, nonce="n1")
        assert (again.status_code, again.content) == (first.status_code, first.content) == (409, first.content)
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert (Scan.objects.count(), names(), AuditEntry.objects.count()) == (stored, before, audited)

    def test_answers_a_repeated_unknown_code_alike(self, staff: APIClient) -> None:
        first, again = (redeem(staff, "ABCDEFGHJKMNPQRS", nonce="n1") for _ in range(2))
        assert (again.status_code, again.content) == (first.status_code, first.content) == (409, first.content)
        assert Scan.objects.count() == len(payloads(REQUESTED)) == 1

    def test_answers_alike_though_the_ticket_has_changed(self, staff: APIClient) -> None:
        ticket = pending_ticket()
        refused = redeem(staff, ticket.redemption_code, nonce="n1")
        activated(ticket)
        entered = redeem(staff, ticket.redemption_code, nonce="n2")
        undo_scan(scan_id=Scan.objects.get(nonce="n2").id, act=staff_act())
        scanned(ticket, location="South door")
        assert redeem(staff, ticket.redemption_code, nonce="n1").content == refused.content
        assert redeem(staff, ticket.redemption_code, nonce="n2").content == entered.content
        assert (refused.status_code, entered.status_code) == (409, 200)

    def test_knows_the_code_however_it_is_typed(self, staff: APIClient, ticket: Ticket) -> None:
        first = redeem(staff, ticket.redemption_code, nonce="n1")
        assert redeem(staff, f" {ticket.redemption_code.lower()} ", nonce="n1").content == first.content

    def test_refuses_the_nonce_for_another_code(self, staff: APIClient, ann: User, ticket: Ticket) -> None:
        other = active_ticket()
        redeem(staff, ticket.redemption_code, nonce="n1")
        before = names()
        response = redeem(staff, other.redemption_code, nonce="n1")
        problem = response.json()
        assert (response.status_code, problem["code"], problem["error_type"]) == (409, "nonce_reused", "nonce_reused")
        assert (now(other).status, Scan.objects.count()) == ("active", 1)
        assert names() == [*before, REQUESTED]
        entry = entries(other)[-1]
        assert (entry.action, entry.actor) == ("ticket_redemption_refused", ann)
        assert entry.details == {"error_type": "nonce_reused"}

    def test_does_not_expire_what_it_refuses_for_the_nonce(self, staff: APIClient, ticket: Ticket) -> None:
        late = too_late()
        redeem(staff, ticket.redemption_code, nonce="n1")
        assert redeem(staff, late.redemption_code, nonce="n1").json()["code"] == "nonce_reused"
        assert (now(late).status, payloads("ticket.expired")) == ("active", [])

    def test_takes_the_same_nonce_of_somebody_else_for_another_scan(self, staff: APIClient, ticket: Ticket) -> None:
        colleague = with_token(StaffFactory.create(role="door"))
        assert redeem(staff, ticket.redemption_code, nonce="n1").status_code == 200
        assert redeem(colleague, ticket.redemption_code, nonce="n1").json()["code"] == "already_redeemed"
        assert Scan.objects.filter(nonce="n1").count() == 2


@pytest.mark.django_db(transaction=True)
class TestRedeemTicketViewTransaction:
    @pytest.mark.parametrize("key", [None, "k"])
    def test_commits_what_a_refusal_leaves(self, staff: APIClient, key: str | None) -> None:
        ticket = too_late()
        before = names()
        assert redeem(staff, ticket.redemption_code, key, nonce="n1").status_code == 409
        assert (now(ticket).status, Scan.objects.get().outcome) == ("expired", "expired")
        assert names() == [*before, REQUESTED, "ticket.expired"]
        assert entries(ticket)[-1].action == "ticket_redemption_refused"
