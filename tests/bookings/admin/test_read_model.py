"""The ops read model in the admin."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from bookings.models import OpsBooking
from tests.bookings.told import ADA, BOOKING, FIRST, SECOND, SHOW, confirmed, made, printed, receipt, refunded, tell
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/bookings/opsbooking/"
PAGE = f"{LIST}{BOOKING}/change/"


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def found(client: Client, text: object) -> list[Any]:
    return [row.pk for row in client.get(f"{LIST}?q={text}").context["cl"].result_list]


def queries_for(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestOpsBookingList:
    def test_lists_the_newest_first_with_what_is_confirmed(self, admin_client: Client) -> None:
        newer = uuid4()
        tell(made(), confirmed(), made(1, booking=newer, tickets=7))
        answer = admin_client.get(LIST)
        assert [row.pk for row in answer.context["cl"].result_list] == [newer, BOOKING]
        text = strip_tags(answer.content.decode())
        for shown in (str(BOOKING), ADA, "1 of 2", "0 of 7", "2026-05-02 12:00:00"):
            assert shown in text
        assert PAGE in answer.content.decode()

    def test_finds_by_the_id_of_a_booking_or_a_ticket(self, admin_client: Client) -> None:
        tell(made(), confirmed(), made(booking=uuid4()), confirmed(ticket=SECOND, booking_id=""))
        assert found(admin_client, BOOKING) == [BOOKING]
        assert found(admin_client, FIRST) == [BOOKING]
        for text in (SECOND, uuid4(), "ada"):
            assert found(admin_client, text) == []

    def test_asks_as_often_for_many_as_for_one(self, admin_client: Client) -> None:
        tell(made(), confirmed())
        admin_client.get(LIST)
        few = queries_for(admin_client, LIST)
        for _ in range(19):
            booking = uuid4()
            tell(made(booking=booking), confirmed(ticket=uuid4(), booking_id=str(booking)))
        assert queries_for(admin_client, LIST) == few

    def test_is_closed_to_staff_who_may_not_look(self) -> None:
        client = Client()
        client.force_login(StaffFactory.create(role="box office"))
        assert client.get(LIST).status_code == 403

    def test_is_open_to_staff_who_may(self) -> None:
        reader = StaffFactory.create(role="")
        reader.user_permissions.add(Permission.objects.get(codename="view_opsbooking"))
        client = Client()
        client.force_login(reader)
        assert client.get(LIST).status_code == 200


class TestOpsBookingPage:
    def test_shows_every_fact_of_each_ticket(self, admin_client: Client) -> None:
        tell(made(), confirmed(), printed(), receipt(), refunded(), confirmed(11, ticket=SECOND))
        html = page(admin_client, PAGE)
        for shown in (
            "50.30 EUR",
            "2026-05-02 12:01:00",
            "2026-05-02 12:02:00",
            "a.html",
            "R-1",
            "2026-05-02 10:23:00",
            "2026-05-02 12:04:00",
            "2026-05-02 12:11:00",
            f"/admin/bookings/booking/{BOOKING}/change/",
            f"/admin/bookings/show/{SHOW}/change/",
            f"/admin/bookings/ticket/{FIRST}/change/",
            f"/admin/bookings/ticket/{SECOND}/change/",
        ):
            assert shown in html

    def test_says_that_no_ticket_was_confirmed(self, admin_client: Client) -> None:
        tell(made())
        assert "No ticket of it was confirmed." in page(admin_client, PAGE)

    def test_takes_no_change(self, admin_client: Client) -> None:
        tell(made())
        for address in (f"{LIST}add/", PAGE, f"{LIST}{BOOKING}/delete/"):
            assert admin_client.post(address, {"customer_email": "x@y.example", "post": "yes"}).status_code == 403
        assert OpsBooking.objects.get().customer_email == ADA
