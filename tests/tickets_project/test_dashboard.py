"""The first page of the admin."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from bookings.services import cancel_booking, request_refund
from bookings.services.refunding import record_refused
from tests.bookings.tickets import unbooked_ticket
from tests.factories import DeliveryFactory, StaffFactory, UserFactory, confirmed_booking, made_bundle, staff_act
from tests.pages import results, staff_with
from tests.vip_bundles.stored import standing
from tickets_project import concerns
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Delivery, Message
from vip_bundles.facts import State
from vip_bundles.models import VipBundle
from vip_bundles.schedules import flag_stuck_bundles

pytestmark = pytest.mark.django_db
FIRST_PAGE = "/admin/"
TRACEBACK = "Traceback (most recent call last):\n  File x\nValueError: no such seat"


def logged_in(*, role: str) -> Client:
    client = Client()
    client.force_login(StaffFactory.create(role=role))
    return client


def needs(client: Client) -> list[list[str]]:
    """Return what needs a person, without its links."""
    sections = client.get(FIRST_PAGE).context["sections"]
    [found] = [section for section in sections if section.title == "What needs a person"]
    return [[strip_tags(str(cell)) for cell in row] for row in found.rows]


def titles(client: Client) -> list[str]:
    return [section.title for section in client.get(FIRST_PAGE).context["sections"]]


def parked(**facts: Any) -> Delivery:
    facts = {"status": "parked", "attempts": 12, "last_error": "Traceback\nValueError: no such seat"} | facts
    delivery: Delivery = DeliveryFactory.create(**facts)
    return delivery


class TestWhatNeedsAPerson:
    def test_is_nothing_when_all_is_well(self, admin_client: Client) -> None:
        page = admin_client.get(FIRST_PAGE).content.decode()
        assert "All is well: nothing needs a person." in page
        assert "Parked deliveries" not in page

    def test_names_first_the_bundles_that_are_stuck(self, admin_client: Client) -> None:
        parked()
        stuck = made_bundle(at=timezone.now() - timedelta(hours=4))
        made_bundle(at=timezone.now() - timedelta(minutes=5))
        assert [what for what, *_ in needs(admin_client)] == ["Deliveries that were given up"]
        flag_stuck_bundles(at=timezone.now())
        assert needs(admin_client)[0] == ["VIP bundles that are stuck", "1", "4\xa0hours"]
        assert list(admin_client.get(_link(admin_client)).context["cl"].result_list) == [stuck]

    def test_counts_bundles_that_ended_well_without_all_their_tickets(self, admin_client: Client) -> None:
        at = timezone.now() - timedelta(hours=4)
        bundle = standing(State.FINALIZED, at=at)
        standing(State.FAILED, at=at, tickets=1)
        assert needs(admin_client) == []
        bundle.tickets.all()[:1].get().delete()
        # The vendor may still confirm it.
        assert needs(admin_client) == []
        VipBundle.objects.update(finalized_at=at)
        assert needs(admin_client) == [["VIP bundles that ended well without all their tickets", "1", "4\xa0hours"]]
        assert list(admin_client.get(_link(admin_client)).context["cl"].result_list) == [bundle]
        VipBundle.objects.update(created_at=at - timedelta(days=7))
        assert needs(admin_client) == []

    def test_counts_parked_deliveries_since_they_were_published(self, admin_client: Client) -> None:
        parked()
        parked()
        Message.objects.filter(deliveries__status="parked").update(published_at=timezone.now() - timedelta(hours=3))
        assert needs(admin_client) == [["Deliveries that were given up", "2", "3\xa0hours"]]

    def test_counts_refunds_that_failed(self, admin_client: Client) -> None:
        at = timezone.now() - timedelta(days=2)
        refund = request_refund(ticket_id=unbooked_ticket().pk, act=staff_act(at=at))
        record_refused(refund_id=refund.pk, act=staff_act(reason="no such payment"))
        assert needs(admin_client) == [["Refunds that failed", "1", "2\xa0days"]]

    def test_counts_refunds_that_a_person_pays(self, admin_client: Client) -> None:
        booking = confirmed_booking()
        cancel_booking(booking_id=booking.pk, act=staff_act(), refund_amount=Decimal("5.00"))
        assert needs(admin_client) == [["Refunds for a person to pay", "1", "now"]]

    def test_counts_tickets_whose_booking_nobody_knows_until_they_are_settled(self, admin_client: Client) -> None:
        at = timezone.now() - timedelta(minutes=5)
        open_one, settled = unbooked_ticket(created_at=at), unbooked_ticket()
        request_refund(ticket_id=settled.pk, act=staff_act())
        assert needs(admin_client) == [["Tickets of the vendor whose booking nobody knows", "1", "5\xa0minutes"]]
        assert f"/admin/bookings/ticket/{open_one.pk}/" in admin_client.get(_link(admin_client)).content.decode()

    def test_counts_notifications_that_have_waited_long(self, admin_client: Client) -> None:
        confirmed_booking()
        assert needs(admin_client) == []
        Notification.objects.update(requested_at=timezone.now() - timedelta(hours=1, minutes=1))
        assert needs(admin_client) == [["Notifications that have waited long", "1", "1\xa0hour"]]

    def test_stops_counting(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(concerns, "MOST_COUNTED", 1)
        parked()
        parked()
        assert needs(admin_client)[0][1] == "more than 1"

    def test_leads_to_the_list_of_just_these(self, admin_client: Client) -> None:
        parked()
        DeliveryFactory.create()
        assert len(admin_client.get(_link(admin_client)).context["cl"].result_list) == 1

    def test_is_told_as_far_as_the_user_may_see_it(self) -> None:
        parked()
        unbooked_ticket(created_at=timezone.now())
        assert [row[0] for row in needs(staff_with("view_ticket"))] == [
            "Tickets of the vendor whose booking nobody knows"
        ]
        assert "What needs a person" not in titles(staff_with("view_show"))


class TestFirstPage:
    def test_says_first_what_needs_a_person(self, admin_client: Client) -> None:
        parked()
        assert titles(admin_client) == [
            "What needs a person",
            "Parked deliveries, by what went wrong",
            "Parked deliveries, latest first",
            "The last 7 days",
            "What waits",
            "Dispatchers at work",
        ]

    def test_says_that_nothing_waits_and_nobody_works(self, admin_client: Client) -> None:
        page = admin_client.get(FIRST_PAGE).content.decode()
        assert "Nothing waits." in page
        assert "No dispatcher is at work" in page

    def test_shows_what_is_parked_and_why(self, admin_client: Client) -> None:
        parked()
        page = admin_client.get(FIRST_PAGE).content.decode()
        assert "given up after 12 attempts: ValueError: no such seat" in page

    def test_leads_from_each_kind_of_failure_to_its_deliveries(self, admin_client: Client) -> None:
        alike = [parked(last_error=TRACEBACK), parked(last_error=TRACEBACK)]
        parked()
        [section] = [
            section
            for section in admin_client.get(FIRST_PAGE).context["sections"]
            if section.title == "Parked deliveries, by what went wrong"
        ]
        address, *rest = section.rows[0]
        assert rest[:2] == ["ValueError", 2]
        listed = str(address).partition('href="')[2].partition('"')[0].replace("&amp;", "&")
        assert results(admin_client, listed) == alike[::-1]

    def test_tells_nothing_to_staff_who_may_not_see_deliveries(self) -> None:
        parked()
        assert "no such seat" not in staff_with("view_show").get(FIRST_PAGE).content.decode()

    def test_offers_the_lists_to_staff_who_see_no_table(self) -> None:
        assert "/admin/bookings/show/" in staff_with("view_show").get(FIRST_PAGE).content.decode()

    def test_leads_those_who_only_scan_to_the_door(self) -> None:
        answer = logged_in(role="door").get(FIRST_PAGE)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/scan/")

    def test_stays_with_those_who_scan_and_see_more(self) -> None:
        assert logged_in(role="ops").get(FIRST_PAGE).status_code == 200

    def test_is_no_door_for_customers(self) -> None:
        client = Client()
        client.force_login(UserFactory.create())
        assert client.get(FIRST_PAGE).headers["Location"].startswith("/admin/login/")

    def test_asks_as_often_for_many_rows_as_for_few(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(5):
            parked()
            unbooked_ticket(created_at=timezone.now())
        with django_assert_max_num_queries(25):
            admin_client.get(FIRST_PAGE)


def _link(client: Client) -> str:
    """Return the address of the first line's list."""
    page = client.get(FIRST_PAGE).context["sections"][0].rows[0][0]
    return str(page).partition('href="')[2].partition('"')[0].replace("&amp;", "&")
