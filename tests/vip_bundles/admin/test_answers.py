"""The four questions that a bundle's page answers first."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import made_bundle, staff_act
from tests.vip_bundles.admin.looking import answer, deliveries, give_up, page_of
from tests.vip_bundles.stored import (
    all_confirmed,
    booking_failed,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    standing,
    stored,
    taxi_booked,
)
from tests.working import deliver_all
from tickets_project.audit.acts import Act
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery
from tickets_project.outbox.repairing import discard_delivery
from vip_bundles.facts import State
from vip_bundles.models import BundleTicket, VipBundle
from vip_bundles.services import flag_stuck, retry_step, roll_back

pytestmark = pytest.mark.django_db

STANDS, WAITS, FAILED, TAKEN_BACK = "stand", "wait", "failed", "taken back"
PARKED = "given up after 12 attempts: TemporaryUpstreamError: answered 503"


def flagged(bundle: VipBundle) -> VipBundle:
    flag_stuck(vip_bundle_id=bundle.id, act=Act(at=stored(bundle).deadline_at))
    return bundle


class TestWhereItStands:
    def test_is_the_state_its_age_and_its_deadline(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW, at=timezone.now() - timedelta(minutes=5, seconds=5))
        state, begun, deadline = answer(admin_client, bundle, STANDS)
        assert state == "booking show"
        assert begun.endswith(", 5 minutes ago")
        assert deadline.startswith("deadline is ")

    def test_is_now_when_it_has_just_begun(self, admin_client: Client) -> None:
        assert answer(admin_client, made_bundle(), STANDS)[1].endswith(", now")

    def test_is_stuck_after_the_deadline(self, admin_client: Client) -> None:
        bundle = flagged(standing(State.BOOKING_SHOW, at=timezone.now() - timedelta(hours=2)))
        state, _, deadline = answer(admin_client, bundle, STANDS)
        assert state == "booking show stuck"
        assert deadline.startswith("deadline was ")

    @pytest.mark.parametrize(("minutes", "lasted"), [(0, "within a minute"), (20, "after 20 minutes")])
    def test_is_the_end_and_how_long_it_took(self, admin_client: Client, minutes: int, lasted: str) -> None:
        bundle = standing(State.FINALIZED, at=timezone.now() - timedelta(minutes=minutes))
        state, ended = answer(admin_client, bundle, STANDS)
        assert (state, ended.startswith("ended "), ended.endswith(lasted)) == ("finalized", True, True)


class TestWhatItWaitsFor:
    def test_is_what_ends_its_step_and_where_that_stands(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        assert answer(admin_client, bundle, WAITS) == [
            "the inbound flight: FlightBooked_v1 or FlightBookingFailed_v1",
            "vip_bundles.book_flight: pending in the queue",
        ]

    def test_is_what_was_given_up_and_why(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        given_up = give_up("vip_bundles.book_taxi")
        assert answer(admin_client, bundle, WAITS)[1:] == [f"vip_bundles.book_taxi: parked {PARKED}"]
        assert f"/admin/outbox/delivery/{given_up.pk}/change/" in admin_client.get(page_of(bundle)).content.decode()

    def test_counts_what_was_given_up_before_a_retry(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        give_up("vip_bundles.book_taxi")
        retry_step(vip_bundle_id=bundle.id, act=staff_act(reason="the service is back"))
        assert answer(admin_client, bundle, WAITS)[1:] == [f"vip_bundles.book_taxi: parked {PARKED} (and 1 more)"]

    def test_leaves_out_the_flight_of_the_other_way(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_INBOUND_FLIGHT)
        give_up("vip_bundles.book_flight")
        hear(inbound_booked(bundle))
        assert answer(admin_client, bundle, WAITS)[1:] == ["vip_bundles.book_flight: pending in the queue"]

    def test_is_tickets_when_its_step_has_failed(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_made(bundle), confirmed(bundle), inbound_failed(bundle))
        first, *others = answer(admin_client, bundle, WAITS)
        assert "1 of 3 tickets are confirmed; when all are, what is booked is taken back" in first
        assert "bookings.book_at_vendor: pending in the queue" in others
        [heard] = [line for line in others if line.startswith("vip_bundles.on_flight_failed: pending waits since ")]
        assert heard.endswith("1 of 3 tickets are confirmed; all of them are to be refunded.")

    def test_says_when_nothing_is_on_its_way(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        deliveries("vip_bundles.book_taxi").update(status="delivered", delivered_at=timezone.now())
        assert answer(admin_client, bundle, WAITS)[1:] == ["nothing on its way"]

    def test_says_who_discarded_what_it_waits_for(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        discard_delivery(give_up("vip_bundles.book_taxi").pk, by="ann", at=timezone.now(), reason="no taxis here")
        assert answer(admin_client, bundle, WAITS)[1:] == [
            "vip_bundles.book_taxi: discarded discarded by ann: no taxis here"
        ]

    def test_is_nothing_after_the_end(self, admin_client: Client) -> None:
        bundle = standing(State.FINALIZED)
        assert answer(admin_client, bundle, WAITS) == ["Nothing."]

    def test_tells_of_tickets_that_were_never_confirmed(self, admin_client: Client) -> None:
        bundle = standing(State.FINALIZED, taxi=False, return_flight=False)
        bundle.tickets.all()[0].delete()
        assert answer(admin_client, bundle, WAITS)[-1] == "2 of 3 tickets are confirmed."

    def test_is_what_may_still_be_booked_after_a_rollback(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="ill"))
        first, *others = answer(admin_client, bundle, WAITS)
        assert first == "It has ended. What may still become known of it:"
        assert "vip_bundles.book_taxi: pending in the queue" in others
        assert not [line for line in others if "refund" in line or "cancel" in line]


class TestWhatFailed:
    def test_is_nothing_while_all_goes_well(self, admin_client: Client) -> None:
        assert answer(admin_client, standing(State.BOOKING_TAXI), FAILED) == ["Nothing."]

    def test_is_the_step_and_its_reason(self, admin_client: Client) -> None:
        what, why = answer(admin_client, standing(State.FAILED), FAILED)
        assert (what.startswith("booking taxi failed, "), why) == (True, "no taxi")

    def test_is_a_show_without_seats(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_failed(bundle))
        what, why = answer(admin_client, bundle, FAILED)
        assert (what.startswith("booking show failed, "), why) == (True, "sold out")

    def test_is_the_person_who_rolled_back(self, admin_client: Client) -> None:
        bundle, act = standing(State.BOOKING_INBOUND_FLIGHT), staff_act(reason="the customer is ill")
        roll_back(vip_bundle_id=bundle.id, act=act)
        what, why = answer(admin_client, bundle, FAILED)
        assert what.startswith(f"rolled back by {act.by} while booking inbound flight, ")
        assert why == "the customer is ill"

    def test_shows_a_reason_as_text(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="<script>alert(1)</script>"))
        page = admin_client.get(page_of(bundle)).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert(1)" not in page


class TestWhetherEverythingIsTakenBack:
    def test_is_no_question_before_a_failure(self, admin_client: Client) -> None:
        assert answer(admin_client, standing(State.FINALIZED), TAKEN_BACK) == [
            "It has not failed: there is nothing to take back."
        ]

    def test_is_nothing_when_nothing_was_booked(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_SHOW)
        hear(booking_failed(bundle))
        assert answer(admin_client, bundle, TAKEN_BACK) == ["Nothing of it was booked."]

    def test_counts_what_is_still_on_its_way(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED)
        assert answer(admin_client, bundle, TAKEN_BACK) == [
            "being taken back",
            "tickets: 0 of 3 refunded, pending in the queue",
            "flights: 0 of 2 cancelled, pending in the queue",
        ]

    def test_says_what_was_given_up(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED)
        refund = deliveries("bookings.refund_ticket").order_by("id").last()
        assert refund is not None
        Delivery.objects.filter(pk=refund.pk).update(status="parked", attempts=12, last_error="ValueError: no card")
        line = answer(admin_client, bundle, TAKEN_BACK)[1]
        assert line == "tickets: 0 of 3 refunded, parked given up after 12 attempts: ValueError: no card"

    def test_is_everything_once_all_services_have_done_it(self, admin_client: Client, simulator: Simulator) -> None:
        bundle = made_bundle()
        deliver_all("vip_bundles.on_initialized", "bookings.book_show_tickets", "vip_bundles.on_booking_made")
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="ill"))
        deliver_all()
        assert simulator.url
        assert answer(admin_client, bundle, TAKEN_BACK) == [
            "all taken back",
            "tickets: 3 of 3 refunded",
            "flights: 1 of 1 cancelled",
        ]

    def test_does_not_take_a_refund_that_was_asked_for_as_paid(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED, taxi=True)
        deliveries("bookings.refund_ticket").update(status="delivered", delivered_at=timezone.now())
        deliveries("vip_bundles.cancel_flight").update(status="delivered", delivered_at=timezone.now())
        assert answer(admin_client, bundle, TAKEN_BACK) == [
            "being taken back",
            "tickets: 0 of 3 refunded, asked for",
            "flights: 2 of 2 cancelled",
        ]
        BundleTicket.objects.update(refunded_at=timezone.now())
        assert answer(admin_client, bundle, TAKEN_BACK)[:2] == ["all taken back", "tickets: 3 of 3 refunded"]

    def test_holds_a_taxi_that_was_booked_late(self, admin_client: Client) -> None:
        bundle = standing(State.BOOKING_TAXI)
        roll_back(vip_bundle_id=bundle.id, act=staff_act(reason="ill"))
        hear(taxi_booked(bundle), *all_confirmed(bundle))
        assert answer(admin_client, bundle, TAKEN_BACK)[1:] == [
            "tickets: 0 of 6 refunded, pending in the queue",
            "flights: 0 of 2 cancelled, pending in the queue",
            "taxi: 0 of 1 cancelled, pending in the queue",
        ]

    def test_says_when_nothing_takes_something_back(self, admin_client: Client) -> None:
        bundle = standing(State.FAILED)
        deliveries("vip_bundles.cancel_flight").order_by("-id")[0].message.delete()
        assert "flights: 0 of 2 cancelled, nothing on its way" in answer(admin_client, bundle, TAKEN_BACK)
