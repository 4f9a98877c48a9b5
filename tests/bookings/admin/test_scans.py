"""Scans in the admin: read, and undone."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Scan
from bookings.services import scan, undo_scan
from tests.bookings.tickets import active_ticket, now, scanned
from tests.factories import staff_act
from tests.pages import page, results, said_after, staff_with
from tickets_project.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
SCANS, TICKETS = "/admin/bookings/scan/", "/admin/bookings/ticket/"


def unknown(code: str) -> Scan:
    return scan(code=code, act=staff_act(), location="", nonce=None)


class TestScanList:
    def test_finds_by_code_ticket_and_id(self, admin_client: Client) -> None:
        ticket = active_ticket()
        wanted, nobodys = scanned(ticket), unknown("who am i")
        code = ticket.redemption_code.lower()
        for text in (code, f"{code[:4]} {code[4:]}", ticket.pk, wanted.pk):
            assert results(admin_client, f"{SCANS}?q={text}") == [wanted]
        assert results(admin_client, f"{SCANS}?q=who am i") == [nobodys]
        assert results(admin_client, f"{SCANS}?q=who") == []

    def test_filters_by_outcome(self, admin_client: Client) -> None:
        _, refused = scanned(active_ticket()), unknown("who am i")
        assert results(admin_client, f"{SCANS}?outcome__exact=unknown_code") == [refused]

    def test_asks_as_often_for_many_rows_as_for_few(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(6):
            made = scanned(active_ticket())
            undo_scan(scan_id=made.pk, act=staff_act())
        with django_assert_max_num_queries(6):
            page(admin_client, SCANS)


class TestScanPage:
    def test_tells_what_a_refused_scan_was_answered(self, admin_client: Client) -> None:
        refused = unknown("who am i")
        shown = page(admin_client, f"{SCANS}{refused.pk}/change/")
        assert "No ticket has this code." in shown
        assert "none of ours" in shown

    def test_offers_the_undo_while_it_is_possible(self, admin_client: Client) -> None:
        made = scanned(active_ticket())
        late = scanned(active_ticket(), at=timezone.now() - timedelta(minutes=16))
        refused = unknown("who am i")
        pages = [page(admin_client, f"{SCANS}{row.pk}/change/") for row in (made, late, refused)]
        assert ["/undo/" in shown for shown in pages] == [True, False, False]
        assert "/undo/" not in page(staff_with("view_scan"), f"{SCANS}{made.pk}/change/")


class TestUndo:
    def test_asks_for_the_reason(self, admin_client: Client) -> None:
        made = scanned(ticket := active_ticket(), location="Gate B")
        assert f"{made.code} was scanned at" in page(admin_client, f"{SCANS}{made.pk}/undo/")
        assert "This field is required." in said_after(admin_client, f"{SCANS}{made.pk}/undo/", reason="", more="1")
        assert now(ticket).status == "redeemed"

    def test_makes_the_ticket_active_again(self, admin_client: Client, admin_user: User) -> None:
        made = scanned(ticket := active_ticket())
        told = said_after(admin_client, f"{SCANS}{made.pk}/undo/", reason="wrong queue")
        assert "The ticket is active again." in told
        assert f"{TICKETS}{ticket.pk}/refund/" in told
        made.refresh_from_db()
        assert (now(ticket).status, made.undone_by) == ("active", admin_user)
        assert AuditEntry.objects.get(action="ticket_redemption_undone").reason == "wrong queue"

    def test_shows_why_it_is_refused(self, admin_client: Client) -> None:
        late = scanned(ticket := active_ticket(), at=timezone.now() - timedelta(minutes=16))
        told = said_after(admin_client, f"{SCANS}{late.pk}/undo/", reason="wrong queue")
        assert "A scan can be undone for fifteen minutes" in told
        assert now(ticket).status == "redeemed"

    def test_leads_back_to_the_scan_of_an_unknown_code(self, admin_client: Client) -> None:
        refused = unknown("who am i")
        answer = admin_client.post(f"{SCANS}{refused.pk}/undo/", {"reason": "wrong queue"})
        assert answer.headers["Location"] == f"{SCANS}{refused.pk}/change/"

    @pytest.mark.parametrize("permission", ["view_scan", "undo_scan"])
    def test_takes_its_permission_and_that_to_see_scans(self, permission: str) -> None:
        made = scanned(ticket := active_ticket())
        client = staff_with(permission)
        assert client.get(f"{SCANS}{made.pk}/undo/").status_code == 403
        assert client.post(f"{SCANS}{made.pk}/undo/", {"reason": "x"}).status_code == 403
        assert now(ticket).status == "redeemed"
