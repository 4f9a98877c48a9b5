"""Messages, deliveries and their repair in the admin."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.utils import timezone

from tests.factories import DeliveryFactory, MessageFactory
from tests.pages import results, staff_with
from tickets_project.outbox.models import Delivery, Dispatcher, Intervention, Message
from tickets_project.outbox.repairing import retry_delivery

pytestmark = pytest.mark.django_db
MESSAGES, DELIVERIES = "/admin/outbox/message/", "/admin/outbox/delivery/"


def parked(**facts: Any) -> Delivery:
    delivery: Delivery = DeliveryFactory.create(
        **{"status": "parked", "attempts": 12, "last_error": "Traceback\n  File x\nValueError: no seat", **facts}
    )
    return delivery


def page_of(row: Delivery | Message) -> str:
    return f"/admin/outbox/{row._meta.model_name}/{row.pk}/change/"


class TestMessageAdmin:
    def test_finds_by_id_aggregate_and_correlation(self, admin_client: Client) -> None:
        message = MessageFactory.create(aggregateid="a1")
        message.headers["correlation_id"] = "c9"
        message.save()
        MessageFactory.create()
        for text in (str(message.id), "a1", "c9"):
            assert results(admin_client, f"{MESSAGES}?q={text}") == [message]

    def test_filters_by_type_and_kind(self, admin_client: Client) -> None:
        printed, created = MessageFactory.create(), MessageFactory.create(type="ticket.created")
        assert results(admin_client, f"{MESSAGES}?type=ticket.created") == [created]
        assert results(admin_client, f"{MESSAGES}?kind=event") == [created, printed]
        assert results(admin_client, f"{MESSAGES}?kind=command") == []

    def test_shows_payload_deliveries_and_what_it_caused(self, admin_client: Client) -> None:
        delivery = parked()
        caused = MessageFactory.create(type="ticket.created")
        caused.headers["causation_id"] = str(delivery.message_id)
        caused.save()
        page = admin_client.get(page_of(delivery.message)).content.decode()
        assert "&quot;file_name&quot;: &quot;a.html&quot;" in page
        assert page_of(delivery) in page
        assert page_of(caused) in page

    def test_says_that_nobody_hears_it(self, admin_client: Client) -> None:
        assert "No handler hears this type." in admin_client.get(page_of(MessageFactory.create())).content.decode()

    def test_takes_no_change(self, admin_client: Client) -> None:
        message = MessageFactory.create()
        for address in (f"{MESSAGES}add/", page_of(message), f"{MESSAGES}{message.pk}/delete/"):
            assert admin_client.post(address, {"type": "other", "post": "yes"}).status_code == 403
        assert Message.objects.get().type == "TicketPrinted_v1"


class TestDeliveryAdmin:
    def test_lists_status_and_last_line_of_the_error(self, admin_client: Client) -> None:
        parked()
        page = admin_client.get(DELIVERIES).content.decode()
        assert "parked" in page
        assert "ValueError: no seat" in page
        assert "File x" not in page

    def test_finds_by_number_message_and_aggregate(self, admin_client: Client) -> None:
        delivery, other = parked(), parked()
        for text in (delivery.pk, delivery.message_id, delivery.message.aggregateid):
            assert results(admin_client, f"{DELIVERIES}?q={text}") == [delivery]
        assert results(admin_client, f"{DELIVERIES}?q=nothing") == []
        assert results(admin_client, f"{DELIVERIES}?q={10**30}") == []
        assert results(admin_client, f"{DELIVERIES}?q=%20") == [other, delivery]

    def test_filters_by_status_and_handler(self, admin_client: Client) -> None:
        delivery, _ = parked(), DeliveryFactory.create(handler="printing.print_ticket")
        assert results(admin_client, f"{DELIVERIES}?status__exact=parked") == [delivery]
        assert results(admin_client, f"{DELIVERIES}?handler=bookings.record_printed") == [delivery]

    def test_shows_the_whole_error_and_who_intervened(self, admin_client: Client) -> None:
        delivery = parked()
        retry_delivery(delivery.pk, by="ada", at=timezone.now(), reason="the service is back")
        page = admin_client.get(page_of(delivery)).content.decode()
        assert "File x" in page
        assert "the service is back" in page

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ({"status": "parked", "attempts": 12}, "given up after 12 attempts: ValueError: no seat"),
            ({"attempts": 3}, "failed 3 times, next try at"),
            ({"attempts": 0}, "in the queue"),
            ({"waiting_since": timezone.now()}, "waits since"),
            ({"claimed_until": timezone.now() + timedelta(hours=9), "claimed_by": uuid4()}, "a worker has it in hand"),
            ({"status": "discarded"}, "discarded"),
            ({"status": "parked", "attempts": 1}, "given up after one attempt: ValueError: no seat"),
            ({"attempts": 1}, "failed once, next try"),
        ],
    )
    def test_says_why_it_waits(self, admin_client: Client, facts: dict[str, Any], why: str) -> None:
        delivery = DeliveryFactory.create(last_error="ValueError: no seat", **facts)
        assert why in admin_client.get(page_of(delivery)).content.decode()

    def test_leads_to_the_dispatcher_that_holds_it(self, admin_client: Client) -> None:
        dispatcher = Dispatcher.objects.create(id=uuid4(), cluster="tickets", host="here", pid=1)
        held = DeliveryFactory.create(claimed_by=dispatcher.id, claimed_until=timezone.now() + timedelta(hours=1))
        page = admin_client.get(page_of(held)).content.decode()
        assert f"/admin/outbox/dispatcher/{dispatcher.id}/change/" in page

    def test_takes_no_change(self, admin_client: Client) -> None:
        delivery = parked()
        for address in (f"{DELIVERIES}add/", page_of(delivery), f"{DELIVERIES}{delivery.pk}/delete/"):
            assert admin_client.post(address, {"status": "delivered", "post": "yes"}).status_code == 403
        assert Delivery.objects.get().status == "parked"

    def test_has_no_buttons_for_what_is_done(self, admin_client: Client) -> None:
        delivery = DeliveryFactory.create(status="delivered", delivered_at=timezone.now())
        assert "Retry now" not in admin_client.get(page_of(delivery)).content.decode()

    def test_has_no_buttons_for_staff_who_may_only_look(self) -> None:
        assert "Retry now" not in staff_with("view_delivery").get(page_of(parked())).content.decode()


class TestRetry:
    def test_makes_the_delivery_due_and_records_who_did_it(self, admin_client: Client) -> None:
        delivery = parked()
        answer = admin_client.post(f"{DELIVERIES}{delivery.pk}/retry/", follow=True)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == ("pending", 0)
        assert Intervention.objects.get().by == "admin"
        assert "1 retried." in answer.content.decode()

    def test_shows_why_it_is_refused(self, admin_client: Client) -> None:
        delivered = DeliveryFactory.create(status="delivered", delivered_at=timezone.now())
        running = DeliveryFactory.create(claimed_until=timezone.now() + timedelta(minutes=1))
        refusals = {delivered: "delivered or discarded already", running: "has this delivery in hand"}
        for delivery, refusal in refusals.items():
            answer = admin_client.post(f"{DELIVERIES}{delivery.pk}/retry/", follow=True)
            assert refusal in answer.content.decode()
        assert not Intervention.objects.exists()

    def test_takes_only_a_post(self, admin_client: Client) -> None:
        assert admin_client.get(f"{DELIVERIES}{parked().pk}/retry/").status_code == 405

    @pytest.mark.parametrize("repair", ["retry", "discard"])
    def test_is_refused_without_a_csrf_token(self, admin_user: Any, repair: str) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        delivery = parked()
        assert client.post(f"{DELIVERIES}{delivery.pk}/{repair}/", {"reason": "old"}).status_code == 403
        assert client.post(DELIVERIES, {"action": f"{repair}_selected", "post": "yes"}).status_code == 403
        assert not Intervention.objects.exists()

    @pytest.mark.parametrize("permissions", [["view_delivery"], ["repair_delivery"], ["change_delivery"]])
    def test_is_closed_to_staff_without_both_permissions(self, permissions: list[str]) -> None:
        assert staff_with(*permissions).post(f"{DELIVERIES}{parked().pk}/retry/").status_code == 403
        assert not Intervention.objects.exists()

    def test_is_open_to_staff_with_both(self) -> None:
        client = staff_with("view_delivery", "repair_delivery")
        client.post(f"{DELIVERIES}{parked().pk}/retry/")
        assert Intervention.objects.get().action == "retried"


class TestDiscard:
    def test_closes_the_delivery_and_records_the_reason(self, admin_client: Client) -> None:
        delivery = parked()
        admin_client.post(f"{DELIVERIES}{delivery.pk}/discard/", {"reason": "a test booking"})
        delivery.refresh_from_db()
        assert delivery.status == "discarded"
        assert Intervention.objects.get().reason == "a test booking"

    def test_is_refused_without_a_reason(self, admin_client: Client) -> None:
        delivery = parked()
        answer = admin_client.post(f"{DELIVERIES}{delivery.pk}/discard/", {"reason": " "}, follow=True)
        assert "Give a reason" in answer.content.decode()
        assert Delivery.objects.get().status == "parked"


class TestRepairMany:
    def test_asks_before_it_does_anything(self, admin_client: Client) -> None:
        delivery = parked()
        answer = admin_client.post(DELIVERIES, {"action": "retry_selected", ACTION_CHECKBOX_NAME: delivery.pk})
        assert "1 selected" in answer.content.decode()
        assert not Intervention.objects.exists()

    def test_retries_the_chosen_ones_alone(self, admin_client: Client) -> None:
        one, other, third = parked(), parked(), parked()
        choice = {"action": "retry_selected", ACTION_CHECKBOX_NAME: [one.pk, third.pk], "post": "yes"}
        answer = admin_client.post(DELIVERIES, choice, follow=True)
        assert "2 retried." in answer.content.decode()
        assert list(Delivery.objects.filter(status="parked")) == [other]

    def test_retries_every_row_of_all_pages_that_the_filters_hold(self, admin_client: Client) -> None:
        for _ in range(27):
            parked()
        kept = parked(handler="printing.print_ticket")
        address = f"{DELIVERIES}?status__exact=parked&handler=bookings.record_printed"
        first = {"action": "retry_selected", "select_across": "1", ACTION_CHECKBOX_NAME: kept.pk, "index": "0"}
        page = admin_client.post(address, first)
        assert "27 selected" in page.content.decode()
        answer = admin_client.post(address, _fields(page.context["kept"]) | {"post": "yes"}, follow=True)
        assert "27 retried." in answer.content.decode()
        assert list(Delivery.objects.filter(status="parked")) == [kept]

    def test_discards_with_a_reason(self, admin_client: Client) -> None:
        choice = {"action": "discard_selected", ACTION_CHECKBOX_NAME: [parked().pk, parked().pk], "post": "yes"}
        answer = admin_client.post(DELIVERIES, choice)
        assert "Give a reason" in answer.content.decode()
        assert not Intervention.objects.exists()
        admin_client.post(DELIVERIES, choice | {"reason": "a test"})
        assert set(Intervention.objects.values_list("action", "reason")) == {("discarded", "a test")}
        assert Delivery.objects.filter(status="discarded").count() == 2

    def test_says_how_many_were_refused_and_why(self, admin_client: Client) -> None:
        rows = [parked(), *(DeliveryFactory.create(status="delivered", delivered_at=timezone.now()) for _ in range(2))]
        choice = {"action": "retry_selected", ACTION_CHECKBOX_NAME: [row.pk for row in rows], "post": "yes"}
        page = admin_client.post(DELIVERIES, choice, follow=True).content.decode()
        assert "1 retried." in page
        assert "2 not retried: The delivery is delivered or discarded already" in page

    def test_is_not_offered_to_staff_who_may_only_look(self) -> None:
        client = staff_with("view_delivery")
        choice = {"action": "retry_selected", ACTION_CHECKBOX_NAME: parked().pk, "post": "yes"}
        assert "retry_selected" not in client.get(DELIVERIES).content.decode()
        client.post(DELIVERIES, choice)
        assert not Intervention.objects.exists()


def _fields(kept: list[tuple[str, str]]) -> dict[str, list[str]]:
    names = {name for name, _ in kept}
    return {wanted: [value for name, value in kept if name == wanted] for wanted in names}


class TestDispatcherAdmin:
    def test_shows_when_each_was_seen(self, admin_client: Client) -> None:
        Dispatcher.objects.create(id=uuid4(), cluster="tickets", host="here", pid=41)
        assert "here:41" in admin_client.get("/admin/outbox/dispatcher/").content.decode()
