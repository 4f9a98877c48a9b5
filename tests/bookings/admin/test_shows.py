"""Shows and ticket types in the admin."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bookings.models import Booking, Show, TicketType
from bookings.services import record_printed
from tests.factories import ShowFactory, TicketTypeFactory, confirmed_booking, only_ticket, pending_booking
from tests.pages import results

pytestmark = pytest.mark.django_db
SHOWS, TYPES = "/admin/bookings/show/", "/admin/bookings/tickettype/"


def said(**facts: Any) -> dict[str, Any]:
    """Return what the form of a new show posts."""
    start = timezone.now() + timedelta(days=9)
    times = {"start_time_0": f"{start:%Y-%m-%d}", "start_time_1": "20:00", "end_time_0": "", "end_time_1": ""}
    show = {"title": "Tosca", "venue": "Opera", "number_of_tickets": "10", "price_amount": "12.50"}
    return {**show, **times, "price_currency": "eur", "ticket_type": "", "dead_nation_id": "", **facts}


def change(show: Show, **facts: Any) -> dict[str, Any]:
    """Return what the form of an existing show posts."""
    times = {"start_time_0": f"{show.start_time:%Y-%m-%d}", "start_time_1": f"{show.start_time:%H:%M:%S}"}
    fields = {"title": show.title, "venue": show.venue, "number_of_tickets": show.number_of_tickets}
    return {**fields, **times, "end_time_0": "", "end_time_1": "", **facts}


def booked_show() -> Show:
    """Return a show of which two seats are held."""
    show: Show = ShowFactory.create()
    pending_booking(show=show)
    return show


class TestAddShow:
    def test_puts_the_show_up(self, admin_client: Client) -> None:
        assert admin_client.post(f"{SHOWS}add/", said()).status_code == 302
        show = Show.objects.get()
        assert (show.title, show.price.amount, show.price.currency) == ("Tosca", Decimal("12.50"), "EUR")
        assert (show.ticket_type.name, show.seats_held) == ("standard", 0)

    def test_takes_a_ticket_type(self, admin_client: Client) -> None:
        balcony = TicketTypeFactory.create(name="balcony")
        admin_client.post(f"{SHOWS}add/", said(ticket_type=balcony.pk))
        assert Show.objects.get().ticket_type == balcony

    @pytest.mark.parametrize(
        ("facts", "refusal"),
        [
            ({"start_time_0": "2020-05-02"}, "Give a time in the future."),
            ({"end_time_0": "2020-05-02", "end_time_1": "20:00"}, "Give a time after the start."),
            ({"doors_time_0": "2099-05-02", "doors_time_1": "20:00"}, "Give a time before the start."),
            ({"price_currency": "XXX"}, "Give a currency of ISO 4217"),
            ({"price_amount": "-1"}, "greater than or equal to 0"),
            ({"number_of_tickets": "0"}, "greater than or equal to 1"),
            ({"number_of_tickets": "9" * 20}, "less than or equal to"),
            ({"title": ""}, "This field is required"),
            ({"start_time_0": "soon"}, "Enter a valid date"),
        ],
    )
    def test_shows_why_it_is_refused(self, admin_client: Client, facts: dict[str, str], refusal: str) -> None:
        answer = admin_client.post(f"{SHOWS}add/", said(**facts))
        assert refusal in answer.content.decode()
        assert not Show.objects.exists()


class TestChangeShow:
    def test_writes_what_was_changed_and_nothing_else(self, admin_client: Client) -> None:
        show = booked_show()
        admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, title="Aida", price_amount="1.00", seats_held="0"))
        show.refresh_from_db()
        assert (show.title, show.price_amount, show.seats_held) == ("Aida", Decimal("10.00"), 2)

    def test_takes_no_seat_away_that_is_held(self, admin_client: Client) -> None:
        show = booked_show()
        answer = admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, number_of_tickets=1))
        assert "2 seats are held already." in answer.content.decode()
        admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, number_of_tickets=2))
        show.refresh_from_db()
        assert show.number_of_tickets == 2

    def test_locks_the_show(self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        show = ShowFactory.create()
        with django_assert_max_num_queries(25) as captured:
            admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, title="Aida"))
        assert [query["sql"] for query in captured.captured_queries if "FOR UPDATE" in query["sql"]]

    def test_warns_of_documents_that_say_otherwise(self, admin_client: Client) -> None:
        show = ShowFactory.create()
        ticket = only_ticket(confirmed_booking(show=show, seats=1))
        record_printed(ticket_id=ticket.pk, file_name="a.html", at=timezone.now())
        address = f"{SHOWS}{show.pk}/change/"
        seats = admin_client.post(address, change(show, number_of_tickets=9), follow=True)
        assert "keep what they say" not in seats.content.decode()
        venue = admin_client.post(address, change(Show.objects.get(), venue="Elsewhere"), follow=True)
        assert "keep what they say" in venue.content.decode()

    def test_moves_its_bookings_with_it(self, admin_client: Client) -> None:
        show = booked_show()
        later = show.start_time + timedelta(days=1)
        times = {"start_time_0": f"{later:%Y-%m-%d}", "doors_time_0": f"{later:%Y-%m-%d}", "doors_time_1": "00:00"}
        admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, **times))
        show.refresh_from_db()
        assert (show.start_time.date(), f"{show.doors_time:%Y-%m-%d}") == (later.date(), f"{later:%Y-%m-%d}")
        assert Booking.objects.get().start_time == show.start_time


class TestDeleteShow:
    def test_deletes_one_that_nobody_booked(self, admin_client: Client) -> None:
        show = ShowFactory.create()
        admin_client.post(f"{SHOWS}{show.pk}/delete/", {"post": "yes"})
        assert not Show.objects.exists()

    def test_is_refused_once_it_is_booked(self, admin_client: Client) -> None:
        show = booked_show()
        assert admin_client.post(f"{SHOWS}{show.pk}/delete/", {"post": "yes"}).status_code == 403


class TestShowList:
    def test_finds_by_the_beginning_of_the_title(self, admin_client: Client) -> None:
        carmen, _ = ShowFactory.create(title="Carmen"), ShowFactory.create(title="La Carmen")
        assert results(admin_client, f"{SHOWS}?q=carm") == [carmen]

    def test_shows_seats_held_and_left(self, admin_client: Client) -> None:
        pending_booking(seats=3)
        page = admin_client.get(SHOWS).content.decode()
        assert ">3<" in page
        assert ">7<" in page


class TestTicketTypeAdmin:
    def test_deletes_one_that_is_not_in_use(self, admin_client: Client) -> None:
        in_use, free = ShowFactory.create().ticket_type, TicketTypeFactory.create(name="balcony")
        assert admin_client.post(f"{TYPES}{in_use.pk}/delete/", {"post": "yes"}).status_code == 403
        admin_client.post(f"{TYPES}{free.pk}/delete/", {"post": "yes"})
        assert list(TicketType.objects.all()) == [in_use]
