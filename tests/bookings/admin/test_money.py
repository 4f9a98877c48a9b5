"""Refunds, receipts and tracker rows in the admin."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from bookings.models import Booking, Receipt, Refund, Ticket, TrackerRow
from bookings.services import cancel_booking, request_refund
from bookings.services.receipts import ask_for_receipt, record_issued
from bookings.services.refunding import record_refused
from bookings.services.tracking import note_row, record_appended
from tests.factories import NOON, StaffFactory, confirmed_booking, only_ticket, owner_act
from tests.pages import page, results, staff_with
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Delivery, Message

pytestmark = pytest.mark.django_db
REFUNDS, RECEIPTS, ROWS = "/admin/bookings/refund/", "/admin/bookings/receipt/", "/admin/bookings/trackerrow/"
TICKETS, BOOKINGS = "/admin/bookings/ticket/", "/admin/bookings/booking/"


@pytest.fixture
def booking() -> Booking:
    return confirmed_booking(seats=1)


@pytest.fixture
def ticket(booking: Booking) -> Ticket:
    return only_ticket(booking)


@pytest.fixture
def automatic(booking: Booking, ticket: Ticket) -> Refund:
    """Return a refund that the payments service is to pay."""
    return request_refund(ticket_id=ticket.id, act=owner_act(booking, reason="ill"))


@pytest.fixture
def manual() -> Refund:
    """Return a refund of half a booking."""
    booking = confirmed_booking(seats=2)
    cancel_booking(booking_id=booking.id, act=owner_act(booking, at=booking.start_time - timedelta(hours=10)))
    return Refund.objects.get(booking=booking)


def queries_for(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestRefundList:
    def test_lists_the_newest_first_with_what_finance_needs(
        self, admin_client: Client, automatic: Refund, manual: Refund, ticket: Ticket
    ) -> None:
        record_refused(refund_id=automatic.id, act=Act(at=NOON, reason="answered 403. Correct the request"))
        assert results(admin_client, REFUNDS) == [manual, automatic]
        shown = page(admin_client, REFUNDS)
        for text in ("10.00 EUR", "failed", "manual", "the booking", automatic.requested_by, "answered 403"):
            assert text in shown
        assert f"{TICKETS}{ticket.id}/change/" in shown
        assert f"{BOOKINGS}{manual.booking_id}/change/" in shown

    def test_filters_by_status(self, admin_client: Client, automatic: Refund, manual: Refund) -> None:
        assert results(admin_client, f"{REFUNDS}?status__exact=manual") == [manual]
        assert results(admin_client, f"{REFUNDS}?status__exact=requested") == [automatic]

    def test_finds_by_the_id_of_a_refund_a_ticket_or_a_booking(
        self, admin_client: Client, automatic: Refund, manual: Refund
    ) -> None:
        for text in (automatic.id, automatic.ticket_id, automatic.booking_id):
            assert results(admin_client, f"{REFUNDS}?q={text}") == [automatic]
        assert results(admin_client, f"{REFUNDS}?q={manual.booking_id}") == [manual]
        assert results(admin_client, f"{REFUNDS}?q=manual") == []

    def test_asks_as_often_for_many_as_for_few(self, admin_client: Client, automatic: Refund) -> None:
        del automatic
        few = queries_for(admin_client, REFUNDS)
        for _ in range(5):
            booking = confirmed_booking(seats=1)
            request_refund(ticket_id=only_ticket(booking).id, act=owner_act(booking))
        assert queries_for(admin_client, REFUNDS) == few

    def test_is_for_those_who_may_see_refunds(self) -> None:
        assert staff_with("view_refund").get(REFUNDS).status_code == 200
        assert staff_with("view_booking").get(REFUNDS).status_code == 403


class TestRefundPage:
    def test_shows_what_waits_and_what_was_done(self, admin_client: Client, automatic: Refund) -> None:
        shown = page(admin_client, f"{REFUNDS}{automatic.id}/change/")
        text = strip_tags(shown)
        for expected in ("10.00 EUR", "ill", "bookings.refund_ticket", "refund requested", "ticket cancelled"):
            assert expected in text
        waiting = Delivery.objects.get(handler="bookings.refund_ticket")
        command = Message.objects.get(type="RefundTicket")
        assert f"/admin/outbox/delivery/{waiting.pk}/change/" in shown
        assert f"/admin/outbox/message/{command.pk}/change/" in shown
        assert "/pay/" not in shown

    def test_says_that_nothing_waits_for_a_person(self, admin_client: Client, manual: Refund) -> None:
        text = strip_tags(page(admin_client, f"{REFUNDS}{manual.id}/change/"))
        assert "Nothing." in text
        assert "the booking" in text

    def test_takes_no_change(self, admin_client: Client, automatic: Refund) -> None:
        for address in (f"{REFUNDS}add/", f"{REFUNDS}{automatic.id}/change/", f"{REFUNDS}{automatic.id}/delete/"):
            assert admin_client.post(address, {"status": "paid", "post": "yes"}).status_code == 403
        assert Refund.objects.get().status == "requested"


class TestMarkPaid:
    def test_marks_a_manual_refund_paid_and_tells_the_customer(
        self, admin_client: Client, admin_user: User, manual: Refund
    ) -> None:
        assert f"{REFUNDS}{manual.id}/pay/" in page(admin_client, f"{REFUNDS}{manual.id}/change/")
        answer = admin_client.post(f"{REFUNDS}{manual.id}/pay/", follow=True)
        assert "10.00 EUR is marked paid" in answer.content.decode()
        manual.refresh_from_db()
        assert manual.status == "paid"
        assert AuditEntry.objects.get(action="refund_paid").actor == admin_user
        assert Notification.objects.filter(template="refund_processed").count() == 1

    def test_shows_why_it_is_refused(self, admin_client: Client, manual: Refund, automatic: Refund) -> None:
        admin_client.post(f"{REFUNDS}{manual.id}/pay/")
        for refund in (manual, automatic):
            answer = admin_client.post(f"{REFUNDS}{refund.id}/pay/", follow=True)
            assert "Only a manual refund is marked paid by a person" in answer.content.decode()
        assert Notification.objects.filter(template="refund_processed").count() == 1

    def test_takes_only_a_post_with_a_csrf_token(self, admin_client: Client, admin_user: User, manual: Refund) -> None:
        address = f"{REFUNDS}{manual.id}/pay/"
        asked = admin_client.get(address).content.decode()
        assert f"You have paid {manual.money} back to" in asked
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        assert client.post(address).status_code == 403
        assert Refund.objects.get().status == "manual"

    def test_of_an_unknown_refund_is_not_found(self, admin_client: Client) -> None:
        assert admin_client.post(f"{REFUNDS}{uuid4()}/pay/").status_code == 404

    @pytest.mark.parametrize("permissions", [["view_refund"], ["view_refund", "request_refund"], ["pay_refund"]])
    def test_is_closed_to_staff_without_both_permissions(self, manual: Refund, permissions: list[str]) -> None:
        client = staff_with(*permissions)
        assert client.post(f"{REFUNDS}{manual.id}/pay/").status_code == 403
        if "view_refund" in permissions:
            assert "/pay/" not in page(client, f"{REFUNDS}{manual.id}/change/")
        assert Refund.objects.get().status == "manual"

    def test_is_open_to_finance(self, manual: Refund) -> None:
        client = Client()
        client.force_login(StaffFactory.create(role="finance"))
        assert "/pay/" in page(client, f"{REFUNDS}{manual.id}/change/")
        client.post(f"{REFUNDS}{manual.id}/pay/")
        assert Refund.objects.get().status == "paid"


class TestReceiptAdmin:
    def test_shows_a_receipt_and_one_without_an_answer(self, admin_client: Client, ticket: Ticket) -> None:
        ask_for_receipt(ticket_id=ticket.id, at=NOON)
        assert "not answered yet" in page(admin_client, RECEIPTS)
        record_issued(ticket_id=ticket.id, number="R-000042", issued_at=NOON + timedelta(hours=1), voided_at=None)
        for address in (RECEIPTS, f"{RECEIPTS}{ticket.id}/change/"):
            shown = page(admin_client, address)
            assert "R-000042" in shown
            assert "2026-05-02 13:00:00" in shown
            assert f"{TICKETS}{ticket.id}/change/" in shown

    def test_shows_what_waits(self, admin_client: Client, ticket: Ticket) -> None:
        Receipt.objects.create(ticket=ticket, asked_at=NOON)
        assert "bookings.issue_receipt" in page(admin_client, f"{RECEIPTS}{ticket.id}/change/")
        Delivery.objects.all().delete()
        assert "Nothing." in page(admin_client, f"{RECEIPTS}{ticket.id}/change/")

    def test_finds_by_the_id_of_the_ticket(self, admin_client: Client, ticket: Ticket) -> None:
        receipt = Receipt.objects.create(ticket=ticket, asked_at=NOON)
        Receipt.objects.create(ticket=only_ticket(confirmed_booking(seats=1)), asked_at=NOON)
        assert results(admin_client, f"{RECEIPTS}?q={ticket.id}") == [receipt]
        assert results(admin_client, f"{RECEIPTS}?q=R-1") == []


class TestTrackerRowAdmin:
    def test_lists_the_newest_first_and_finds_by_ticket(self, admin_client: Client) -> None:
        first, second = uuid4(), uuid4()
        for ticket_id in (first, second):
            row, _ = note_row(ticket_id=ticket_id, sheet="tickets-to-print", at=NOON)
        record_appended(row_id=row.pk, at=NOON + timedelta(minutes=2))
        assert [row.ticket_id for row in results(admin_client, ROWS)] == [second, first]
        assert results(admin_client, f"{ROWS}?q={second}") == [TrackerRow.objects.get(ticket_id=second)]
        assert results(admin_client, f"{ROWS}?q=tickets") == []
        shown = page(admin_client, f"{ROWS}{row.pk}/change/")
        assert "2026-05-02 12:02:00" in shown
        assert f"{TICKETS}{second}/change/" in shown
