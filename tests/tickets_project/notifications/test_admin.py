"""Notifications in the admin."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import UserFactory
from tests.pages import results, staff_with
from tests.tickets_project.notifications.made import AT, BOOKING, pending, sent
from tests.working import deliver_all
from tickets_project.notifications import admin
from tickets_project.notifications.admin import notification_section
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Delivery, Message
from tickets_project.outbox.repairing import discard_delivery

pytestmark = pytest.mark.django_db
NOTIFICATIONS = "/admin/notifications/notification/"


def page_of(notification: Notification) -> str:
    return f"{NOTIFICATIONS}{notification.pk}/change/"


def park() -> Delivery:
    Delivery.objects.update(status="parked", attempts=1, last_error="Traceback\noutcomes.GiveUp: 550 no such user")
    return Delivery.objects.get()


class TestNotificationList:
    def test_shows_what_went_to_whom_and_why_not(self, admin_client: Client) -> None:
        notification = pending(about=("booking", BOOKING))
        delivery = park()
        page = admin_client.get(NOTIFICATIONS).content.decode()
        for text in ("booking confirmed", "ada@customers.example", f"booking {BOOKING[:8]}", "parked"):
            assert text in page
        assert "given up after one attempt: GiveUp: 550 no such user" in page
        assert f"/admin/outbox/delivery/{delivery.pk}/change/" in page
        assert page_of(notification) in page

    def test_shows_newest_first(self, admin_client: Client) -> None:
        old, new = pending(), pending(at=AT + timedelta(seconds=1))
        assert results(admin_client, NOTIFICATIONS) == [new, old]

    def test_says_that_one_is_sent(self, admin_client: Client) -> None:
        sent()
        deliver_all()
        page = admin_client.get(NOTIFICATIONS).content.decode()
        assert "2026-04-01 09:31:00" in page
        assert "/admin/outbox/delivery/" not in page.partition("result_list")[2]

    def test_finds_by_email_thing_and_id(self, admin_client: Client) -> None:
        notification = pending(email="Ada@example.com", about=("booking", BOOKING))
        pending()
        for text in ("ada@EXAMPLE.com", BOOKING, BOOKING.upper(), notification.pk):
            assert results(admin_client, f"{NOTIFICATIONS}?q={text}") == [notification]
        assert results(admin_client, f"{NOTIFICATIONS}?q=nothing") == []

    def test_filters_by_template_and_state(self, admin_client: Client) -> None:
        confirmed, redeemed = sent(), pending("ticket_redeemed")
        assert results(admin_client, f"{NOTIFICATIONS}?template__exact=booking_confirmed") == [confirmed]
        assert results(admin_client, f"{NOTIFICATIONS}?state__exact=pending") == [redeemed]

    def test_asks_as_often_for_many_rows_as_for_few(
        self, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(9):
            pending()
        with django_assert_max_num_queries(7):
            admin_client.get(NOTIFICATIONS)

    @pytest.mark.parametrize(
        ("condition", "index"),
        [
            ("UPPER(email::text) = UPPER('ada@customers.example')", "notifications_email"),
            ("about_id = 'x'", "notifications_about"),
            ("state = 'pending' ORDER BY created_at DESC, id DESC LIMIT 25", "notifications_state"),
            ("template = 'booking_reminder' ORDER BY created_at DESC, id DESC LIMIT 25", "notifications_template"),
            ("true ORDER BY created_at DESC, id DESC LIMIT 25", "notifications_created"),
        ],
    )
    def test_has_an_index_for_each_search_filter_and_order(self, condition: str, index: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute(f"EXPLAIN SELECT * FROM notifications_notification WHERE {condition}")  # noqa: S608 - ours
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert index in plan


class TestNotificationPage:
    def test_shows_the_mail_its_facts_and_its_deliveries(self, admin_client: Client) -> None:
        ada = UserFactory.create(username="ada")
        notification = pending("booking_cancelled", recipient_id=ada.pk, facts={"reason": "<b>ill</b>"})
        page = admin_client.get(page_of(notification)).content.decode()
        assert "Subject: Booking cancelled: Carmen" in page
        assert "Reason: &lt;b&gt;ill&lt;/b&gt;" in page
        assert "<b>ill</b>" not in page
        assert "&quot;refund_amount&quot;: &quot;50.30&quot;" in page
        assert "in the queue" in page
        assert f"/admin/outbox/delivery/{Delivery.objects.get().pk}/change/" in page
        assert f"/admin/outbox/message/{Message.objects.get().pk}/change/" in page
        assert "the system" in page

    def test_shows_deliveries_that_are_done(self, admin_client: Client) -> None:
        notification = pending()
        deliver_all()
        page = admin_client.get(page_of(notification)).content.decode()
        assert f"/admin/outbox/delivery/{Delivery.objects.get().pk}/change/" in page

    def test_takes_no_change(self, admin_client: Client) -> None:
        notification = pending()
        for address in (f"{NOTIFICATIONS}add/", page_of(notification), f"{NOTIFICATIONS}{notification.pk}/delete/"):
            assert admin_client.post(address, {"email": "eve@evil.example", "post": "yes"}).status_code == 403
        assert Notification.objects.get().email == "ada@customers.example"

    def test_offers_to_resend_what_is_sent(self, admin_client: Client) -> None:
        waiting, done = pending(), sent()
        assert f"{waiting.pk}/resend/" not in admin_client.get(page_of(waiting)).content.decode()
        assert f"{done.pk}/resend/" in admin_client.get(page_of(done)).content.decode()


class TestResend:
    def test_sends_it_once_more(self, admin_client: Client) -> None:
        notification = pending()
        deliver_all()
        answer = admin_client.post(f"{NOTIFICATIONS}{notification.pk}/resend/", follow=True)
        assert "1 to be sent again." in answer.content.decode()
        deliver_all()
        notification.refresh_from_db()
        assert (notification.state, notification.sendings, notification.requested_by) == ("sent", 2, "admin")
        assert len(mail.outbox) == 2

    def test_shows_why_it_is_refused(self, admin_client: Client) -> None:
        answer = admin_client.post(f"{NOTIFICATIONS}{pending().pk}/resend/", follow=True)
        assert "1 not sent again: It is on its way already" in answer.content.decode()
        assert Message.objects.count() == 1

    def test_takes_only_a_post_with_a_csrf_token(self, admin_client: Client, admin_user: Any) -> None:
        address = f"{NOTIFICATIONS}{sent().pk}/resend/"
        assert admin_client.get(address).status_code == 405
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        assert client.post(address).status_code == 403
        assert Notification.objects.get().state == "sent"

    def test_knows_no_other(self, admin_client: Client) -> None:
        assert admin_client.post(f"{NOTIFICATIONS}{uuid4()}/resend/").status_code == 404

    @pytest.mark.parametrize("permissions", [["view_notification"], ["resend_notification"]])
    def test_is_closed_to_staff_without_both_permissions(self, permissions: list[str]) -> None:
        assert staff_with(*permissions).post(f"{NOTIFICATIONS}{sent().pk}/resend/").status_code == 403
        assert Notification.objects.get().state == "sent"

    def test_is_open_to_staff_with_both(self) -> None:
        notification, client = sent(), staff_with("view_notification", "resend_notification")
        assert "resend/" in client.get(page_of(notification)).content.decode()
        client.post(f"{NOTIFICATIONS}{notification.pk}/resend/")
        assert Notification.objects.get().state == "pending"

    def test_is_not_offered_to_staff_who_may_only_look(self) -> None:
        notification, client = sent(), staff_with("view_notification")
        assert "resend" not in client.get(page_of(notification)).content.decode()
        assert "resend_selected" not in client.get(NOTIFICATIONS).content.decode()
        choice = {"action": "resend_selected", ACTION_CHECKBOX_NAME: notification.pk, "post": "yes"}
        client.post(NOTIFICATIONS, choice)
        assert Notification.objects.get().state == "sent"


class TestResendMany:
    def test_asks_before_it_does_anything(self, admin_client: Client) -> None:
        choice = {"action": "resend_selected", ACTION_CHECKBOX_NAME: sent().pk}
        page = admin_client.post(NOTIFICATIONS, choice).content.decode()
        assert "1 selected" in page
        assert "booking confirmed to ada@customers.example" in page
        assert Notification.objects.get().state == "sent"

    def test_resends_the_chosen_ones_alone_and_says_which_not(self, admin_client: Client) -> None:
        one, waiting, left = sent(), pending(), sent()
        choice = {"action": "resend_selected", ACTION_CHECKBOX_NAME: [one.pk, waiting.pk], "post": "yes"}
        page = admin_client.post(NOTIFICATIONS, choice, follow=True).content.decode()
        assert "1 to be sent again." in page
        assert "1 not sent again: It is on its way already" in page
        assert list(Notification.objects.filter(state="sent")) == [left]

    def test_resends_every_row_of_all_pages_that_the_filters_hold(self, admin_client: Client) -> None:
        for _ in range(27):
            sent()
        kept = sent("ticket_redeemed")
        address = f"{NOTIFICATIONS}?template__exact=booking_confirmed"
        first = {"action": "resend_selected", "select_across": "1", ACTION_CHECKBOX_NAME: kept.pk, "index": "0"}
        page = admin_client.post(address, first)
        assert "27 selected" in page.content.decode()
        answer = admin_client.post(address, _fields(page.context["kept"]) | {"post": "yes"}, follow=True)
        assert "27 to be sent again." in answer.content.decode()
        assert list(Notification.objects.filter(state="sent")) == [kept]


def _fields(kept: list[tuple[str, str]]) -> dict[str, list[str]]:
    names = {name for name, _ in kept}
    return {wanted: [value for name, value in kept if name == wanted] for wanted in names}


class TestNotificationSection:
    def test_lists_what_was_told_about_these_things(self) -> None:
        about = str(uuid4())
        pending("ticket_redeemed", about=("ticket", about))
        [row] = notification_section([about]).rows
        text = " ".join(str(cell) for cell in row)
        assert "ticket redeemed" in text
        assert "ada@customers.example" in text
        assert "in the queue" in text

    def test_says_who_discarded_it(self) -> None:
        about = str(uuid4())
        pending(about=("booking", about))
        discard_delivery(Delivery.objects.get().pk, by="ann", at=AT, reason="a test")
        assert "discarded by ann: a test" in str(notification_section([about]).rows[0][2])

    def test_stops_at_the_latest_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(admin, "MOST_NOTIFICATIONS", 2)
        for _ in range(2):
            pending(about=("booking", BOOKING))
        assert notification_section([BOOKING]).note == ""
        pending(about=("booking", BOOKING))
        section = notification_section([BOOKING])
        assert (len(section.rows), section.note[:12]) == (2, "The latest 2")

    def test_is_empty_for_a_thing_that_nobody_was_told_of(self) -> None:
        assert notification_section([str(UUID(int=1))]).rows == []
