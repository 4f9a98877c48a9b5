"""Bookings in the admin, to be read."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking
from bookings.services import cancel_booking, record_printed
from tests.bookings.rooms import book, room
from tests.factories import confirmed_booking, pending_booking, staff_act
from tests.pages import labels, page, results, section
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db
BOOKINGS, TICKETS = "/admin/bookings/booking/", "/admin/bookings/ticket/"


class TestBookingList:
    def test_finds_by_email_code_and_id(self, admin_client: Client) -> None:
        booking = confirmed_booking(customer_email="ada@example.com")
        confirmed_booking()
        for text in ("ADA@example.com", str(booking.confirmation_code).lower(), booking.pk):
            assert results(admin_client, f"{BOOKINGS}?q={text}") == [booking]
        assert results(admin_client, f"{BOOKINGS}?q=ada") == []

    def test_filters_by_status(self, admin_client: Client) -> None:
        pending, _ = pending_booking(), confirmed_booking()
        assert results(admin_client, f"{BOOKINGS}?status__exact=pending") == [pending]

    def test_filters_by_what_is_booked(self, admin_client: Client) -> None:
        of_show, of_room = pending_booking(), book(room(), 1, 2)
        assert results(admin_client, f"{BOOKINGS}?kind=show") == [of_show]
        assert results(admin_client, f"{BOOKINGS}?kind=resource") == [of_room]

    def test_tells_what_is_booked_and_when(self, admin_client: Client) -> None:
        shown, booked = pending_booking(), book(room(name="Blue room"), 1, 2)
        listed = page(admin_client, BOOKINGS)
        assert f"/admin/bookings/show/{shown.show_id}/change/" in listed
        assert f"/admin/bookings/resource/{booked.resource_id}/change/" in listed
        assert "2026-05-02 13:00:00" in listed


class TestBookingPage:
    def test_shows_each_ticket_and_all_messages(self, admin_client: Client) -> None:
        booking = confirmed_booking()
        printed, waiting = booking.tickets.order_by("pk")
        record_printed(ticket_id=printed.pk, file_name="a.html", at=timezone.now())
        page = admin_client.get(f"{BOOKINGS}{booking.pk}/change/").content.decode()
        assert f"{TICKETS}{printed.pk}/document/" in page
        assert f"{TICKETS}{waiting.pk}/change/" in page
        assert "in the queue" in page
        about = [str(booking.pk), *(str(ticket.pk) for ticket in (printed, waiting))]
        messages = list(Message.objects.filter(aggregateid__in=about))
        assert messages
        assert [message for message in messages if f"/admin/outbox/message/{message.pk}/change/" not in page] == []

    def test_asks_as_often_for_many_tickets_as_for_few(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        booking = confirmed_booking(seats=9)
        with django_assert_max_num_queries(14):
            admin_client.get(f"{BOOKINGS}{booking.pk}/change/")

    def test_takes_no_change(self, admin_client: Client) -> None:
        booking = pending_booking()
        for address in (f"{BOOKINGS}add/", f"{BOOKINGS}{booking.pk}/change/", f"{BOOKINGS}{booking.pk}/delete/"):
            assert admin_client.post(address, {"status": "confirmed", "post": "yes"}).status_code == 403
        assert Booking.objects.get().status == "pending"

    def test_shows_only_what_has_happened(self, admin_client: Client) -> None:
        address = f"{BOOKINGS}{confirmed_booking().pk}/change/"
        ended = {"cancelled", "why cancelled", "refund"}
        assert not ended & set(labels(admin_client, address))
        act = staff_act(reason="The singer is ill")
        cancel_booking(booking_id=Booking.objects.get().pk, act=act, refund_amount=Decimal("5.00"))
        assert ended <= set(labels(admin_client, address))
        shown = page(admin_client, address)
        assert "The singer is ill" in shown
        assert "5.00 EUR" in shown

    def test_tells_the_history_of_it_and_its_tickets_and_refunds(self, admin_client: Client) -> None:
        booking = confirmed_booking(seats=1)
        cancel_booking(booking_id=booking.pk, act=staff_act(reason="ill"))
        actions = [row[1] for row in section(admin_client, f"{BOOKINGS}{booking.pk}/change/", "History")]
        assert set(actions) == {
            "booking created",
            "booking confirmed",
            "booking cancelled",
            "ticket cancelled",
            "refund requested",
        }

    def test_shows_its_refunds_and_notifications(self, admin_client: Client) -> None:
        booking = confirmed_booking(seats=1)
        address = f"{BOOKINGS}{booking.pk}/change/"
        cancel_booking(booking_id=booking.pk, act=staff_act(reason="ill"))
        [refund] = section(admin_client, address, "Refunds")
        assert "10.00 EUR" in refund[0]
        assert f"{TICKETS}{booking.tickets.get().pk}/change/" in refund[2]
        told = [row[0] for row in section(admin_client, address, "Notifications")]
        assert ["cancelled" in text for text in told] == [True, False]
