"""The page of a bundle."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import NOON, UserFactory, made_bundle
from tests.pages import labels, page
from tests.vip_bundles.admin.looking import LIST, deliveries, page_of, queries_for, stuck, table
from tests.vip_bundles.stored import standing, stored
from tests.working import deliver_all
from tickets_project.outbox.repairing import discard_delivery
from vip_bundles.facts import State
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db


class TestPage:
    def test_shows_first_where_it_stands(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        context = admin_client.get(page_of(bundle)).context
        assert [each.question for each in context["answers"]] == [
            "Where does it stand?",
            "What does it wait for?",
            "What failed, and why?",
            "Is everything taken back?",
        ]
        shown = page(admin_client, page_of(bundle))
        order = [shown.index(part) for part in ("Where does it stand?", "<svg ", "What has happened", "Passenger 1")]
        assert order == sorted(order)

    def test_shows_what_it_is_and_leads_to_its_show_and_booking(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        shown = page(admin_client, page_of(bundle))
        assert f"/admin/bookings/show/{bundle.show_id}/change/" in shown
        assert f"/admin/bookings/booking/{bundle.booking_id}/change/" in shown
        assert "Passenger 1, Passenger 2, Passenger 3" in shown
        assert labels(admin_client, page_of(bundle)) == [
            "id",
            "show",
            "booking",
            "customer email",
            "owner",
            "passengers",
            "created",
            "deadline",
        ]

    def test_does_not_lead_to_a_booking_that_was_never_made(self, admin_client: Client) -> None:
        bundle = made_bundle()
        shown = page(admin_client, page_of(bundle))
        assert f"{bundle.booking_id} (not made)" in shown
        assert f"/admin/bookings/booking/{bundle.booking_id}/" not in shown

    @pytest.mark.parametrize(("make", "label"), [(stuck, "stuck since"), (lambda: standing(State.FINALIZED), "ended")])
    def test_tells_since_when_it_is_stuck_or_has_ended(
        self, admin_client: Client, make: Callable[[], VipBundle], label: str
    ) -> None:
        assert labels(admin_client, page_of(make()))[8:] == [label]

    def test_shows_what_waits_was_told_done_and_published(self, admin_client: Client) -> None:
        bundle = standing(State.FINALIZED)
        deliver_all("vip_bundles.tell_customer")
        sections = [found.title for found in admin_client.get(page_of(bundle)).context["sections"]]
        assert sections == [
            "Tickets",
            "Flights and taxi",
            "What waits and why",
            "Notifications",
            "History",
            "Messages",
        ]
        assert ["vip bundle finalized", bundle.customer_email] in [
            row[:2] for row in table(admin_client, bundle, "Notifications")
        ]
        assert "bundle made" in {row[1] for row in table(admin_client, bundle, "History")}
        assert {"BookTaxi", "BookingMade_v1", "TicketBookingConfirmed_v1"} <= {
            row[0] for row in table(admin_client, bundle, "Messages")
        }
        assert "printing.print_ticket" in {row[0] for row in table(admin_client, bundle, "What waits and why")}

    def test_says_that_nothing_waits(self, admin_client: Client) -> None:
        bundle = standing(State.INITIALIZED)
        deliveries("vip_bundles.on_initialized").update(status="delivered", delivered_at=NOON)
        assert "Nothing." in page(admin_client, page_of(bundle))

    def test_asks_as_often_for_many_tickets_as_for_one(self, admin_client: Client) -> None:
        def discarded(bundle: VipBundle) -> VipBundle:
            for delivery in deliveries("printing.print_ticket").filter(status="pending"):
                discard_delivery(delivery.pk, by="ann", at=NOON, reason="no")
            return bundle

        small, large = (discarded(standing(State.FAILED, tickets=tickets)) for tickets in (1, 9))
        admin_client.get(page_of(small))
        few, many = (queries_for(admin_client, page_of(bundle)) for bundle in (small, large))
        assert len(few) == len(many) <= 26

    def test_is_read_and_nothing_else(self, admin_client: Client) -> None:
        bundle = made_bundle()
        for address in (f"{LIST}add/", page_of(bundle), f"{LIST}{bundle.pk}/delete/"):
            assert admin_client.post(address, {"customer_email": "x@y.example", "post": "yes"}).status_code == 403
        assert stored(bundle).customer_email == bundle.customer_email

    def test_leads_back_from_one_that_does_not_exist(self, admin_client: Client) -> None:
        made_bundle()
        assert admin_client.get(f"{LIST}{uuid4()}/change/").status_code == 302

    def test_shows_one_without_an_owner(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI, owner=UserFactory.create())
        VipBundle.objects.update(owner=None)
        assert page(admin_client, page_of(bundle))
