"""Tickets in the admin, to be read."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bookings.models import Ticket
from bookings.services import record_printed, request_refund
from tests.bookings.tickets import active_ticket, scanned, ticket_that_is, unbooked_ticket
from tests.factories import DeliveryFactory, confirmed_booking, only_ticket, staff_act
from tests.pages import labels, page, results, section, staff_with
from tickets_project.gateway import files
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.repairing import discard_delivery

pytestmark = pytest.mark.django_db
TICKETS = "/admin/bookings/ticket/"


class TestTicketList:
    def test_finds_by_email_code_booking_and_id(self, admin_client: Client) -> None:
        ticket = only_ticket(confirmed_booking(seats=1, customer_email="ada@example.com"))
        confirmed_booking()
        code = ticket.redemption_code.lower()
        for text in ("Ada@example.com", f"{code[:4]} {code[4:]}", ticket.pk, ticket.booking_id):
            assert results(admin_client, f"{TICKETS}?q={text}") == [ticket]

    def test_filters_by_what_is_printed(self, admin_client: Client) -> None:
        printed, waiting = (only_ticket(confirmed_booking(seats=1)) for _ in range(2))
        record_printed(ticket_id=printed.pk, file_name="a.html", at=timezone.now())
        assert results(admin_client, f"{TICKETS}?printed=yes") == [printed]
        assert results(admin_client, f"{TICKETS}?printed=no") == [waiting]

    def test_says_why_a_ticket_is_not_printed(self, admin_client: Client) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        assert "in the queue" in admin_client.get(TICKETS).content.decode()
        # What else is parked about the ticket keeps no document waiting.
        message = Message.objects.get(type="ticket.created", aggregateid=str(ticket.pk))
        DeliveryFactory.create(message=message, handler="other", status="parked", last_error="OtherError: x")
        assert "OtherError" not in admin_client.get(TICKETS).content.decode()
        Delivery.objects.filter(handler="printing.print_ticket").update(status="parked", last_error="ValueError: no")
        assert "ValueError: no" in admin_client.get(TICKETS).content.decode()
        Delivery.objects.all().delete()
        assert "nothing on its way" in admin_client.get(TICKETS).content.decode()

    def test_says_who_discarded_its_printing(self, admin_client: Client) -> None:
        confirmed_booking(seats=1)
        delivery = Delivery.objects.get(handler="printing.print_ticket")
        discard_delivery(delivery.pk, by="ann", at=timezone.now(), reason="made by hand")
        page = admin_client.get(TICKETS).content.decode()
        assert "discarded by ann: made by hand" in page
        assert "waiting" not in page.lower().partition("result_list")[2]

    def test_finds_the_vendors_whose_booking_nobody_knows(self, admin_client: Client) -> None:
        unbooked, ours = unbooked_ticket(), only_ticket(confirmed_booking(seats=1))
        assert results(admin_client, f"{TICKETS}?booking=none") == [unbooked]
        assert results(admin_client, f"{TICKETS}?booking=ours") == [ours]


class TestTicketPage:
    def test_shows_what_waits_and_the_code_to_scan(self, admin_client: Client) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        delivery = Delivery.objects.get(handler="printing.print_ticket")
        page = admin_client.get(f"{TICKETS}{ticket.pk}/change/").content.decode()
        assert f"/admin/outbox/delivery/{delivery.pk}/change/" in page
        assert "<svg" in page

    def test_says_that_nothing_waits(self, admin_client: Client) -> None:
        ticket = only_ticket(confirmed_booking(seats=1))
        Delivery.objects.all().delete()
        address = f"{TICKETS}{ticket.pk}/change/"
        assert "and yet it is not printed" in admin_client.get(address).content.decode()
        record_printed(ticket_id=ticket.pk, file_name="a.html", at=timezone.now())
        assert "Nothing: it is printed." in admin_client.get(address).content.decode()

    def test_shows_only_what_has_happened(self, admin_client: Client) -> None:
        pending, redeemed = ticket_that_is("pending"), ticket_that_is("redeemed")
        happened = {"activated", "valid from", "valid until", "redeemed"}
        assert not happened & set(labels(admin_client, f"{TICKETS}{pending.pk}/change/"))
        assert happened <= set(labels(admin_client, f"{TICKETS}{redeemed.pk}/change/"))
        shown = page(admin_client, f"{TICKETS}{redeemed.pk}/change/")
        assert redeemed.activation_code in shown
        assert f"by {redeemed.redeemed_by} at North door" in shown

    def test_tells_what_the_vendor_calls_an_unknown_booking(self, admin_client: Client) -> None:
        booking_id = uuid4()
        ticket = unbooked_ticket(vendor_booking_id=booking_id)
        assert str(booking_id) in page(admin_client, f"{TICKETS}{ticket.pk}/change/")

    def test_shows_its_scans_and_refunds(self, admin_client: Client) -> None:
        ticket = active_ticket()
        scan, refused = scanned(ticket), scanned(ticket, at=timezone.now() + timedelta(seconds=1))
        address = f"{TICKETS}{ticket.pk}/change/"
        first, second = section(admin_client, address, "Scans")
        assert f"/admin/bookings/scan/{refused.pk}/change/" in first[0]
        assert ("already redeemed" in first[1], "redeemed" in second[1]) == (True, True)
        assert second[2:] == [scan.scanned_by, "North door", "-"]
        request_refund(ticket_id=ticket.pk, act=staff_act(reason="ill"))
        assert section(admin_client, address, "Refunds")[0][3] == "ill"

    def test_says_that_it_was_never_scanned(self, admin_client: Client) -> None:
        ticket = active_ticket()
        assert "It was never scanned." in page(admin_client, f"{TICKETS}{ticket.pk}/change/")

    def test_tells_its_history_and_what_its_holder_was_told(self, admin_client: Client) -> None:
        ticket = active_ticket()
        scanned(ticket)
        address = f"{TICKETS}{ticket.pk}/change/"
        assert [row[1] for row in section(admin_client, address, "History")] == ["ticket redeemed", "ticket activated"]
        assert len(section(admin_client, address, "Notifications")) == 2


class TestTicketDocument:
    @pytest.fixture
    def ticket(self) -> Ticket:
        ticket = only_ticket(confirmed_booking(seats=1))
        record_printed(ticket_id=ticket.pk, file_name="a.html", at=timezone.now())
        return ticket

    @pytest.mark.usefixtures("simulator")
    def test_serves_the_stored_document_in_a_sandbox(self, admin_client: Client, ticket: Ticket) -> None:
        files.store("a.html", "<h1>Carmen</h1>")
        answer = admin_client.get(f"{TICKETS}{ticket.pk}/document/")
        assert answer.content == b"<h1>Carmen</h1>"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")

    @pytest.mark.usefixtures("simulator")
    def test_says_that_there_is_none(self, admin_client: Client, ticket: Ticket) -> None:
        answer = admin_client.get(f"{TICKETS}{ticket.pk}/document/", follow=True)
        assert "has no document of this ticket" in answer.content.decode()

    def test_says_that_the_service_is_away(
        self, admin_client: Client, ticket: Ticket, settings: Settings, simulator: Simulator
    ) -> None:
        settings.GATEWAY_URL = simulator.url.rpartition(":")[0] + ":9"
        answer = admin_client.get(f"{TICKETS}{ticket.pk}/document/", follow=True)
        assert "a retry may help" in answer.content.decode()

    def test_is_closed_to_staff_who_may_not_see_tickets(self, ticket: Ticket) -> None:
        assert staff_with("view_booking").get(f"{TICKETS}{ticket.pk}/document/").status_code == 403
