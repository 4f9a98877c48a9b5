"""What staff ask of a ticket on its page."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bookings.models import Booking, Refund, Ticket
from bookings.services import cancel_booking, request_refund
from bookings.services.refunding import record_refused
from tests.bookings.tickets import active_ticket, now, pending_ticket, scanned, ticket_that_is, unbooked_ticket
from tests.factories import confirmed_booking, staff_act
from tests.pages import page, said_after, staff_with
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db
TICKETS = "/admin/bookings/ticket/"


def offered(client: Client, ticket: Ticket) -> list[str]:
    buttons = client.get(f"{TICKETS}{ticket.pk}/change/").context["buttons"]
    return [button.label for button in buttons]


class TestButtons:
    @pytest.mark.parametrize(
        ("status", "labels"),
        [
            ("pending", ["Activate…", "Refund…"]),
            ("active", ["Refund…"]),
            ("redeemed", ["Undo the scan…", "Refund…"]),
            ("expired", ["Refund…"]),
        ],
    )
    def test_are_those_of_the_state(self, admin_client: Client, status: str, labels: list[str]) -> None:
        assert offered(admin_client, ticket_that_is(status)) == labels

    def test_offer_no_second_refund_but_another_attempt(self, admin_client: Client) -> None:
        ticket = active_ticket()
        refund = request_refund(ticket_id=ticket.pk, act=staff_act())
        assert offered(admin_client, now(ticket)) == []
        record_refused(refund_id=refund.pk, act=staff_act(reason="no such payment"))
        assert offered(admin_client, now(ticket)) == ["Refund…"]

    def test_offer_no_undo_after_fifteen_minutes(self, admin_client: Client) -> None:
        ticket = active_ticket()
        scanned(ticket, at=timezone.now() - timedelta(minutes=16))
        assert offered(admin_client, now(ticket)) == ["Refund…"]

    @pytest.mark.parametrize(
        ("permission", "labels"),
        [("activate_ticket", ["Activate…"]), ("request_refund", ["Refund…"]), ("undo_scan", [])],
    )
    def test_are_for_those_with_the_permission(self, permission: str, labels: list[str]) -> None:
        assert offered(staff_with("view_ticket", permission), pending_ticket()) == labels


class TestActivate:
    def test_asks_first(self, admin_client: Client) -> None:
        ticket = pending_ticket()
        assert f"Activate ticket {ticket}?" in page(admin_client, f"{TICKETS}{ticket.pk}/activate/")
        assert now(ticket).status == "pending"

    def test_activates_with_the_tickets_own_code(self, admin_client: Client, admin_user: User) -> None:
        ticket = pending_ticket()
        told = said_after(admin_client, f"{TICKETS}{ticket.pk}/activate/", code="")
        assert "Activated; the holder is sent the QR code." in told
        assert (now(ticket).status, now(ticket).activation_code) == ("active", ticket.activation_code)
        assert Message.objects.get(type="ticket.activation_requested").payload["admin_id"] == admin_user.pk

    def test_takes_another_code(self, admin_client: Client) -> None:
        ticket = pending_ticket()
        admin_client.post(f"{TICKETS}{ticket.pk}/activate/", {"code": "OPEN-SESAME"})
        assert now(ticket).activation_code == "OPEN-SESAME"

    def test_shows_a_code_that_is_too_long_again(self, admin_client: Client) -> None:
        ticket = pending_ticket()
        assert "at most 32 characters" in said_after(admin_client, f"{TICKETS}{ticket.pk}/activate/", code="x" * 33)

    def test_shows_why_it_is_refused_and_records_the_request(self, admin_client: Client) -> None:
        ticket = active_ticket()
        told = said_after(admin_client, f"{TICKETS}{ticket.pk}/activate/", code="")
        assert "Only a pending ticket can be activated." in told
        assert AuditEntry.objects.filter(action="ticket_activation_refused").exists()


class TestRefund:
    def test_shows_first_what_it_pays(self, admin_client: Client) -> None:
        ticket = active_ticket()
        shown = page(admin_client, f"{TICKETS}{ticket.pk}/refund/")
        assert "10.00 EUR goes back: the payments service pays it." in shown
        assert not Refund.objects.exists()

    def test_refunds_as_the_api_does(self, admin_client: Client, admin_user: User) -> None:
        ticket = active_ticket()
        told = said_after(admin_client, f"{TICKETS}{ticket.pk}/refund/", reason="ill")
        assert "10.00 EUR is on its way back." in told
        refund = Refund.objects.get()
        assert (refund.status, refund.reason, refund.requested_by) == ("requested", "ill", admin_user.username)
        assert now(ticket).status == "cancelled"
        assert Message.objects.filter(type="RefundTicket").count() == 1

    def test_asks_for_the_reason(self, admin_client: Client) -> None:
        ticket = active_ticket()
        assert "This field is required." in said_after(admin_client, f"{TICKETS}{ticket.pk}/refund/", reason=" ")
        assert not Refund.objects.exists()

    def test_leaves_what_is_left_of_the_price_to_a_person(self, admin_client: Client) -> None:
        booking = confirmed_booking(seats=1)
        cancel_booking(booking_id=booking.pk, act=staff_act(), refund_amount=Decimal("4.00"))
        shown = page(admin_client, f"{TICKETS}{booking.tickets.get().pk}/refund/")
        assert "6.00 EUR goes back: a part of the price, for a person to pay." in shown

    def test_tries_again_what_failed(self, admin_client: Client) -> None:
        ticket = unbooked_ticket()
        refund = request_refund(ticket_id=ticket.pk, act=staff_act())
        record_refused(refund_id=refund.pk, act=staff_act(reason="no such payment"))
        assert "10.00 EUR is on its way back." in said_after(
            admin_client, f"{TICKETS}{ticket.pk}/refund/", reason="mended"
        )
        refund.refresh_from_db()
        assert refund.status == "requested"

    def test_tells_that_the_money_is_on_its_way(self, admin_client: Client) -> None:
        ticket = active_ticket()
        request_refund(ticket_id=ticket.pk, act=staff_act())
        answer = admin_client.get(f"{TICKETS}{ticket.pk}/refund/", follow=True).content.decode()
        assert "money is on its way back" in answer

    def test_tells_that_there_is_nothing(self, admin_client: Client) -> None:
        ticket = unbooked_ticket(price_amount="0.00")
        answer = admin_client.get(f"{TICKETS}{ticket.pk}/refund/", follow=True).content.decode()
        assert "Nothing can be paid back" in answer


class TestEveryRequest:
    @pytest.mark.parametrize("request_name", ["activate", "refund"])
    @pytest.mark.parametrize("permission", ["view_ticket", "activate_ticket", "request_refund"])
    def test_takes_its_permission_and_that_to_see_tickets(self, request_name: str, permission: str) -> None:
        ticket = pending_ticket()
        client = staff_with(permission)
        assert client.get(f"{TICKETS}{ticket.pk}/{request_name}/").status_code == 403
        assert client.post(f"{TICKETS}{ticket.pk}/{request_name}/", {"reason": "ill"}).status_code == 403
        assert now(ticket).status == "pending"
        assert Booking.objects.get().status == "confirmed"
