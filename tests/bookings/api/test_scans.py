"""Scans over HTTP: a ticket's list of them, and taking back a mistaken one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.errors import TooLateToUndo
from bookings.models import Scan, Ticket
from bookings.services import cancel_booking, request_refund, undo_scan
from tests.bookings.published import names, payloads
from tests.bookings.tickets import active_ticket, entries, now, scanned, ticket_that_is
from tests.factories import StaffFactory, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.notifications.models import Notification

pytestmark = pytest.mark.django_db

UNDO_WITHIN = timedelta(minutes=15)


@pytest.fixture
def ticket(ada: User) -> Ticket:
    return active_ticket(ada)


@pytest.fixture
def scan(ticket: Ticket) -> Scan:
    return scanned(ticket, nonce="n1")


def scans(client: APIClient, ticket: Ticket, **query: Any) -> Any:
    return client.get(f"/api/v1/tickets/{ticket.id}/scans/", query)


def undo(client: APIClient, scan: Scan, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/admin/tickets/scans/{scan.id}/undo/", body, headers=headers)


def aged(scan: Scan, age: timedelta) -> Scan:
    """Return the scan as if it were so old."""
    Scan.objects.filter(id=scan.id).update(scanned_at=timezone.now() - age)
    return Scan.objects.get(id=scan.id)


def assert_refused(response: Any, scan: Scan, *, code: str) -> dict[str, Any]:
    """Hold that the scan stayed as it was; return what the answer says."""
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (409, code)
    stored = Scan.objects.get(id=scan.id)
    assert (stored.outcome, stored.undone_at, stored.undone_by) == (scan.outcome, scan.undone_at, scan.undone_by)
    return problem


class TestTicketScansView:
    def test_lists_each_with_its_outcome_newest_first(self, staff: APIClient, ticket: Ticket) -> None:
        first, second = scanned(ticket), scanned(ticket, location="")
        scanned(active_ticket())
        listed = scans(staff, ticket).json()
        assert (listed["next"], listed["previous"]) == (None, None)
        assert listed["results"] == [
            {
                "scan_id": str(scan.id),
                "ticket_id": str(ticket.id),
                "outcome": outcome,
                "scanned_at": scan.scanned_at.isoformat().replace("+00:00", "Z"),
                "scanned_by": scan.scanned_by.username,
                "location": scan.location,
                "undone_at": None,
                "undone_by": None,
            }
            for scan, outcome in [(second, "already_redeemed"), (first, "redeemed")]
        ]

    def test_lists_what_was_undone(self, staff: APIClient, ann: User, ticket: Ticket, scan: Scan) -> None:
        answered = undo(staff, scan).json()
        assert scans(staff, ticket).json()["results"] == [answered]
        assert (answered["undone_by"], answered["undone_at"] is not None) == (ann.username, True)

    def test_is_empty_for_a_ticket_that_nobody_scanned(self, staff: APIClient, ticket: Ticket) -> None:
        assert scans(staff, ticket).json()["results"] == []

    def test_is_cut_into_pages(self, staff: APIClient, ticket: Ticket) -> None:
        made = [str(scanned(ticket).id) for _ in range(3)]
        first = scans(staff, ticket, page_size=2).json()
        second = staff.get(first["next"]).json()
        assert [row["scan_id"] for row in first["results"] + second["results"]] == made[::-1]

    def test_asks_the_database_as_often_for_many_as_for_few(
        self, staff: APIClient, ticket: Ticket, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            scanned(ticket)
        with django_assert_max_num_queries(6):
            scans(staff, ticket)

    def test_is_for_staff_who_may(self, customer: APIClient, nobody: APIClient, ticket: Ticket) -> None:
        for role, status in [("", 403), ("door", 403), ("box office", 200), ("finance", 200)]:
            assert scans(with_token(StaffFactory.create(role=role)), ticket).status_code == status
        assert scans(customer, ticket).status_code == 403
        assert scans(nobody, ticket).status_code == 401

    def test_is_404_for_an_unknown_ticket(self, staff: APIClient) -> None:
        assert scans(staff, Ticket(id=uuid4())).status_code == 404


class TestUndoScanView:
    def test_makes_the_ticket_active_again(self, staff: APIClient, ticket: Ticket, scan: Scan) -> None:
        response = undo(staff, scan, reason="The wrong Ada")
        answered = response.json()
        assert (response.status_code, answered["scan_id"], answered["outcome"]) == (200, str(scan.id), "redeemed")
        stored = now(ticket)
        assert stored.status == "active"
        assert (stored.redeemed_at, stored.redeemed_by, stored.redeemed_location) == (None, None, "")
        assert (stored.valid_from, stored.valid_until) == (ticket.valid_from, ticket.valid_until)

    def test_keeps_the_scan_with_who_undid_it(self, staff: APIClient, ann: User, scan: Scan) -> None:
        start = timezone.now()
        undo(staff, scan)
        stored = Scan.objects.get()
        assert (stored.outcome, stored.scanned_at, stored.scanned_by) == ("redeemed", scan.scanned_at, scan.scanned_by)
        assert stored.undone_by == ann
        assert stored.undone_at is not None
        assert start <= stored.undone_at <= timezone.now()

    def test_leaves_who_and_why_in_the_audit_trail(
        self, staff: APIClient, ann: User, ticket: Ticket, scan: Scan
    ) -> None:
        before, mails = names(), Notification.objects.count()
        undo(staff, scan, reason="The wrong Ada")
        entry = entries(ticket)[-1]
        assert (entry.action, entry.old, entry.new) == ("ticket_redemption_undone", "redeemed", "active")
        assert (entry.actor, entry.reason) == (ann, "The wrong Ada")
        assert (names(), Notification.objects.count()) == (before, mails)

    def test_lets_the_holder_in_again(self, staff: APIClient, ticket: Ticket, scan: Scan) -> None:
        undo(staff, scan)
        again = scanned(ticket, location="South door")
        assert again.outcome == "redeemed"
        assert (now(ticket).status, now(ticket).redeemed_location) == ("redeemed", "South door")
        assert len(payloads("ticket.redeemed")) == 2
        undone = Scan.objects.get(id=scan.id)
        assert_refused(undo(staff, undone), undone, code="scan_already_undone")
        assert now(ticket).status == "redeemed"
        assert undo(staff, again).status_code == 200

    def test_takes_what_is_nearly_fifteen_minutes_old(self, staff: APIClient, scan: Scan) -> None:
        assert undo(staff, aged(scan, UNDO_WITHIN - timedelta(seconds=10))).status_code == 200

    def test_refuses_what_is_older(self, staff: APIClient, ticket: Ticket, scan: Scan) -> None:
        old = aged(scan, UNDO_WITHIN + timedelta(seconds=1))
        problem = assert_refused(undo(staff, old), old, code="too_late_to_undo")
        assert problem["scanned_at"] == old.scanned_at.isoformat().replace("+00:00", "Z")
        assert now(ticket).status == "redeemed"

    def test_refuses_what_is_undone(self, staff: APIClient, ticket: Ticket, scan: Scan) -> None:
        undone_at = undo(staff, scan).json()["undone_at"]
        colleague = with_token(StaffFactory.create())
        problem = assert_refused(undo(colleague, scan), Scan.objects.get(), code="scan_already_undone")
        assert (problem["undone_at"], now(ticket).status) == (undone_at, "active")

    @pytest.mark.parametrize("status", ["pending", "redeemed", "expired", "cancelled"])
    def test_refuses_what_let_nobody_in(self, staff: APIClient, status: str) -> None:
        ticket = ticket_that_is(status)
        refused = scanned(ticket)
        problem = assert_refused(undo(staff, refused), refused, code="scan_not_redeemed")
        assert (problem["outcome"], now(ticket).status) == (refused.outcome, status)

    def test_refuses_what_was_no_ticket_s(self, staff: APIClient) -> None:
        unknown = scanned(Ticket(redemption_code="ABCDEFGHJKMNPQRS"))
        assert_refused(undo(staff, unknown), unknown, code="scan_not_redeemed")

    def test_makes_no_ticket_active_whose_money_goes_back(self, staff: APIClient, ticket: Ticket, scan: Scan) -> None:
        request_refund(ticket_id=ticket.id, act=staff_act())
        assert_refused(undo(staff, scan), scan, code="refund_already_requested")
        assert now(ticket).status == "redeemed"

    def test_makes_no_ticket_active_whose_booking_is_cancelled(
        self, staff: APIClient, ticket: Ticket, scan: Scan
    ) -> None:
        cancel_booking(booking_id=ticket.booking_id or uuid4(), act=staff_act(), refund_amount=Decimal("0.00"))
        assert_refused(undo(staff, scan), scan, code="booking_already_cancelled")
        assert now(ticket).status == "redeemed"

    def test_is_for_staff_who_may(self, customer: APIClient, nobody: APIClient, ticket: Ticket, scan: Scan) -> None:
        for role in ("", "door", "box office", "finance"):
            assert undo(with_token(StaffFactory.create(role=role)), scan).status_code == 403
        assert undo(customer, scan).status_code == 403
        assert undo(nobody, scan).status_code == 401
        assert (now(ticket).status, Scan.objects.get().undone_at) == ("redeemed", None)
        assert undo(with_token(StaffFactory.create(role="ops")), scan).status_code == 200

    def test_is_404_for_an_unknown_scan(self, staff: APIClient) -> None:
        assert undo(staff, Scan(id=uuid4())).status_code == 404

    @pytest.mark.parametrize(("field", "value"), [("reason", "x" * 501), ("reason", None), ("scan_id", "7")])
    def test_names_the_field_that_is_wrong(self, staff: APIClient, scan: Scan, field: str, value: Any) -> None:
        response = undo(staff, scan, **{field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert Scan.objects.get().undone_at is None

    def test_undoes_once_under_one_key(self, staff: APIClient, scan: Scan) -> None:
        first, second = (undo(staff, scan, "k") for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (200, 200, second.content)


class TestScan:
    def test_is_called_by_its_code_and_outcome(self, ticket: Ticket, scan: Scan) -> None:
        assert str(scan) == f"{ticket.redemption_code}: redeemed"


class TestUndoScan:
    def test_takes_back_what_is_just_fifteen_minutes_old(self, ticket: Ticket, scan: Scan) -> None:
        undo_scan(scan_id=scan.id, act=staff_act(at=scan.scanned_at + UNDO_WITHIN))
        assert now(ticket).status == "active"

    def test_refuses_what_is_a_moment_older(self, ticket: Ticket, scan: Scan) -> None:
        late = scan.scanned_at + UNDO_WITHIN + timedelta(microseconds=1)
        with pytest.raises(TooLateToUndo):
            undo_scan(scan_id=scan.id, act=staff_act(at=late))
        assert now(ticket).status == "redeemed"
