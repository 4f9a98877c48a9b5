"""Shows, bookings and tickets in the admin."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from bookings.models import Booking, Show, Ticket, TicketType
from bookings.services import record_printed
from tests.factories import (
    DeliveryFactory,
    ShowFactory,
    StaffFactory,
    TicketTypeFactory,
    confirmed_booking,
    only_ticket,
    pending_booking,
)
from tickets_project.gateway import files
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.repairing import discard_delivery

pytestmark = pytest.mark.django_db
SHOWS, BOOKINGS, TICKETS = "/admin/bookings/show/", "/admin/bookings/booking/", "/admin/bookings/ticket/"
TYPES = "/admin/bookings/tickettype/"


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


def results(client: Client, address: str) -> list[Any]:
    return list(client.get(address).context["cl"].result_list)


def staff_with(*codenames: str) -> Client:
    staff = StaffFactory.create(role="")
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(staff)
    return client


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
        show = pending_booking().show
        admin_client.post(f"{SHOWS}{show.pk}/change/", change(show, title="Aida", price_amount="1.00", seats_held="0"))
        show.refresh_from_db()
        assert (show.title, show.price_amount, show.seats_held) == ("Aida", Decimal("10.00"), 2)

    def test_takes_no_seat_away_that_is_held(self, admin_client: Client) -> None:
        show = pending_booking().show
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
        booking = confirmed_booking(seats=1)
        record_printed(ticket_id=only_ticket(booking).pk, file_name="a.html", at=timezone.now())
        address = f"{SHOWS}{booking.show_id}/change/"
        seats = admin_client.post(address, change(booking.show, number_of_tickets=9), follow=True)
        assert "keep what they say" not in seats.content.decode()
        venue = admin_client.post(address, change(Show.objects.get(), venue="Elsewhere"), follow=True)
        assert "keep what they say" in venue.content.decode()


class TestDeleteShow:
    def test_deletes_one_that_nobody_booked(self, admin_client: Client) -> None:
        show = ShowFactory.create()
        admin_client.post(f"{SHOWS}{show.pk}/delete/", {"post": "yes"})
        assert not Show.objects.exists()

    def test_is_refused_once_it_is_booked(self, admin_client: Client) -> None:
        show = pending_booking().show
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
        for message in Message.objects.filter(aggregateid__in=about):
            assert f"/admin/outbox/message/{message.pk}/change/" in page

    def test_asks_as_often_for_many_tickets_as_for_few(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        booking = confirmed_booking(seats=9)
        with django_assert_max_num_queries(8):
            admin_client.get(f"{BOOKINGS}{booking.pk}/change/")

    def test_takes_no_change(self, admin_client: Client) -> None:
        booking = pending_booking()
        for address in (f"{BOOKINGS}add/", f"{BOOKINGS}{booking.pk}/change/", f"{BOOKINGS}{booking.pk}/delete/"):
            assert admin_client.post(address, {"status": "confirmed", "post": "yes"}).status_code == 403
        assert Booking.objects.get().status == "pending"


class TestConfirm:
    def test_confirms_as_the_api_does(self, admin_client: Client, admin_user: User) -> None:
        booking = pending_booking()
        answer = admin_client.post(f"{BOOKINGS}{booking.pk}/confirm/", follow=True)
        assert "Confirmed." in answer.content.decode()
        assert Booking.objects.get().status == "confirmed"
        assert Ticket.objects.count() == 2
        request = Message.objects.get(type="booking.confirmation_requested")
        assert request.payload["admin_id"] == admin_user.pk

    def test_shows_why_it_is_refused_and_records_the_request(self, admin_client: Client) -> None:
        booking = confirmed_booking()
        answer = admin_client.post(f"{BOOKINGS}{booking.pk}/confirm/", follow=True)
        assert "Only a pending booking can be confirmed." in answer.content.decode()
        assert Message.objects.filter(type="booking.confirmation_requested").count() == 1

    def test_takes_only_a_post_with_a_csrf_token(self, admin_client: Client, admin_user: User) -> None:
        address = f"{BOOKINGS}{pending_booking().pk}/confirm/"
        assert admin_client.get(address).status_code == 405
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        assert client.post(address).status_code == 403
        assert Booking.objects.get().status == "pending"

    def test_is_closed_to_staff_who_may_only_look(self) -> None:
        booking, client = pending_booking(), staff_with("view_booking")
        assert "confirm/" not in client.get(f"{BOOKINGS}{booking.pk}/change/").content.decode()
        assert client.post(f"{BOOKINGS}{booking.pk}/confirm/").status_code == 403

    def test_is_open_to_staff_who_may_change(self) -> None:
        booking, client = pending_booking(), staff_with("change_booking")
        assert "confirm/" in client.get(f"{BOOKINGS}{booking.pk}/change/").content.decode()
        client.post(f"{BOOKINGS}{booking.pk}/confirm/")
        assert Booking.objects.get().status == "confirmed"


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
