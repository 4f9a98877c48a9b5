"""The timeline on a bundle's page."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.factories import NOON, made_bundle, staff_act
from tests.vip_bundles.admin.looking import deliveries, give_up, happened, page_of, text
from tests.vip_bundles.stored import hear, inbound_booked, standing
from tickets_project.outbox.models import Message
from vip_bundles.facts import State
from vip_bundles.services import retry_step, roll_back

pytestmark = pytest.mark.django_db


class TestHappenings:
    def test_tells_each_message_its_moves_and_its_deliveries(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        begun, asked = happened(admin_client, bundle)
        assert (begun.direction, text(begun.what), begun.moves) == (
            "in",
            "VipBundleInitialized_v1",
            ["initialized → booking show"],
        )
        assert [text(line) for line in begun.done] == ["vip_bundles.on_initialized delivered"]
        assert (asked.direction, text(asked.what), asked.moves) == ("out", "BookShowTickets", [])
        assert asked.tells == "3 tickets"
        assert [text(line) for line in asked.open] == ["bookings.book_show_tickets pending in the queue"]

    def test_leads_to_each_message_and_delivery(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        give_up("vip_bundles.book_flight")
        page = admin_client.get(page_of(bundle)).content.decode()
        for message in Message.objects.filter(type__in=["VipBundleInitialized_v1", "BookFlight", "BookingMade_v1"]):
            assert f"/admin/outbox/message/{message.pk}/change/" in page
            for delivery in message.deliveries.all():
                assert f"/admin/outbox/delivery/{delivery.pk}/change/" in page
        assert "given up after 12 attempts: TemporaryUpstreamError: answered 503" in page

    def test_tells_what_people_asked_for(self, admin_client: Client) -> None:
        bundle, act = standing(State.BOOKING_INBOUND_FLIGHT), staff_act(reason="ill")
        retry_step(vip_bundle_id=bundle.id, act=act)
        roll_back(vip_bundle_id=bundle.id, act=act)
        retried, rolled_back = [line for line in happened(admin_client, bundle) if line.direction == "person"]
        assert (retried.what, retried.tells) == (f"retry by {act.by}", "ill")
        assert retried.moves == ["stays at booking inbound flight"]
        assert (rolled_back.what, rolled_back.tells) == (f"roll back by {act.by}", "ill")
        assert rolled_back.moves == ["booking inbound flight → rolling back", "rolling back → failed"]

    def test_names_each_day_once(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(inbound_booked(bundle))
        for index, message in enumerate(Message.objects.filter(aggregatetype="vip_bundle").order_by("sequence")):
            Message.objects.filter(pk=message.pk).update(published_at=NOON + timedelta(hours=index))
        Message.objects.filter(aggregatetype="booking").update(published_at=NOON + timedelta(days=1))
        lines = happened(admin_client, bundle)
        assert [(text(line.day), line.time) for line in lines] == [
            ("2026-05-02", "12:00:00"),
            ("", "13:00:00"),
            ("2026-05-03", "12:00:00"),
        ]

    def test_folds_up_what_several_handlers_have_done(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        deliveries("bookings.book_at_vendor").update(status="delivered", delivered_at=NOON)
        deliveries("bookings.ops_booking_made").update(status="delivered", delivered_at=NOON)
        assert "<summary>3 delivered</summary>" in admin_client.get(page_of(bundle)).content.decode()

    def test_is_short_for_one_that_has_just_begun(self, admin_client: Client) -> None:
        [line] = happened(admin_client, made_bundle())
        assert [text(each) for each in line.open] == ["vip_bundles.on_initialized pending in the queue"]
