"""What staff ask of a booking on its page."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bookings.models import Booking, Refund, Ticket
from bookings.services import cancel_booking, complete_booking
from tests.factories import ShowFactory, confirmed_booking, pending_booking, staff_act
from tests.pages import page, said_after, staff_with
from tickets_project.audit.models import AuditEntry
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db
BOOKINGS = "/admin/bookings/booking/"
REQUESTS = ["confirm", "cancel", "complete", "no_show"]


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


class TestButtons:
    @pytest.mark.parametrize(
        ("make", "offered"),
        [
            (pending_booking, {"confirm", "cancel"}),
            (lambda: pending_booking(show=ShowFactory.create(dead_nation_id=uuid4())), {"cancel"}),
            (confirmed_booking, {"complete", "no_show", "cancel"}),
            (lambda: cancel_booking(booking_id=confirmed_booking().pk, act=staff_act()), set()),
        ],
    )
    def test_are_those_of_the_state(self, admin_client: Client, make: Callable[[], Booking], offered: set[str]) -> None:
        booking = make()
        shown = page(admin_client, f"{BOOKINGS}{booking.pk}/change/")
        assert {name for name in REQUESTS if f"{BOOKINGS}{booking.pk}/{name}/" in shown} == offered

    def test_are_not_for_staff_who_may_only_look(self) -> None:
        booking = confirmed_booking()
        shown = page(staff_with("view_booking"), f"{BOOKINGS}{booking.pk}/change/")
        assert not [name for name in REQUESTS if f"{BOOKINGS}{booking.pk}/{name}/" in shown]


class TestCancel:
    def test_shows_first_what_it_pays_back(self, admin_client: Client) -> None:
        soon = ShowFactory.create(start_time=timezone.now() + timedelta(hours=12))
        booking = confirmed_booking(show=soon, seats=2)
        answer = admin_client.get(f"{BOOKINGS}{booking.pk}/cancel/")
        shown = answer.content.decode()
        assert "Cancelling now pays back 20.00 EUR." in shown
        assert "the policy would pay back 10.00 EUR." in shown
        assert answer.context["question"].form["amount"].value() == Decimal("20.00")
        assert Booking.objects.get().status == "confirmed"

    def test_leaves_the_policy_out_when_it_says_the_same(self, admin_client: Client) -> None:
        booking = confirmed_booking()
        assert "the policy would" not in page(admin_client, f"{BOOKINGS}{booking.pk}/cancel/")

    def test_cancels_as_the_api_does(self, admin_client: Client, admin_user: User) -> None:
        booking = confirmed_booking(seats=2)
        told = said_after(admin_client, f"{BOOKINGS}{booking.pk}/cancel/", reason="The singer is ill", amount="20.00")
        assert "Cancelled; 20.00 EUR goes back." in told
        booking = Booking.objects.get()
        assert (booking.status, booking.cancellation_reason) == ("cancelled", "The singer is ill")
        assert set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}
        assert set(Refund.objects.values_list("status", flat=True)) == {"requested"}
        request = Message.objects.get(type="booking.cancellation_requested")
        assert (request.payload["admin_id"], request.payload["refund_amount"]) == (admin_user.pk, "20.00")
        assert AuditEntry.objects.get(action="booking_cancelled").actor == admin_user

    def test_leaves_another_amount_to_a_person(self, admin_client: Client) -> None:
        booking = confirmed_booking(seats=2)
        admin_client.post(f"{BOOKINGS}{booking.pk}/cancel/", {"reason": "goodwill", "amount": "5"})
        assert [(refund.status, refund.amount) for refund in Refund.objects.all()] == [("manual", Decimal("5.00"))]

    def test_leaves_the_amount_to_the_policy_when_none_is_given(self, admin_client: Client) -> None:
        booking = confirmed_booking(seats=2)
        admin_client.post(f"{BOOKINGS}{booking.pk}/cancel/", {"reason": "ill", "amount": ""})
        assert Booking.objects.get().refund_amount == Decimal("20.00")

    def test_asks_for_no_amount_when_nothing_was_paid(self, admin_client: Client) -> None:
        booking = pending_booking()
        assert 'name="amount"' not in page(admin_client, f"{BOOKINGS}{booking.pk}/cancel/")
        admin_client.post(f"{BOOKINGS}{booking.pk}/cancel/", {"reason": "by mistake"})
        assert Booking.objects.get().status == "cancelled"

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ({"reason": "", "amount": "1"}, "This field is required."),
            ({"reason": "x" * 501}, "at most 500 characters"),
            ({"reason": "ill", "amount": "20.01"}, "At most 20.00 EUR can be paid back."),
            ({"reason": "ill", "amount": "-1"}, "greater than or equal to 0"),
            ({"reason": "ill", "amount": "1.001"}, "no more than 2 decimal places"),
        ],
    )
    def test_shows_the_form_again_with_what_is_wrong(
        self, admin_client: Client, said: dict[str, str], refusal: str
    ) -> None:
        booking = confirmed_booking(seats=2)
        assert refusal in said_after(admin_client, f"{BOOKINGS}{booking.pk}/cancel/", **said)
        assert Booking.objects.get().status == "confirmed"

    @pytest.mark.parametrize(
        ("make", "refusal"),
        [
            (lambda: cancel_booking(booking_id=confirmed_booking().pk, act=staff_act()), "is cancelled already."),
            (lambda: complete_booking(booking_id=confirmed_booking().pk, act=staff_act()), "The booking is over"),
        ],
    )
    def test_shows_why_it_is_refused_and_records_the_request(
        self, admin_client: Client, make: Callable[[], Booking], refusal: str
    ) -> None:
        address = f"{BOOKINGS}{make().pk}/cancel/"
        assert refusal in admin_client.get(address, follow=True).content.decode()
        assert not AuditEntry.objects.filter(action="booking_cancellation_refused").exists()
        assert refusal in said_after(admin_client, address, reason="once more")
        assert AuditEntry.objects.get(action="booking_cancellation_refused").reason == "once more"

    def test_takes_only_a_csrf_token_that_fits(self, admin_user: User) -> None:
        booking, client = confirmed_booking(), Client(enforce_csrf_checks=True)
        client.force_login(admin_user)
        assert client.post(f"{BOOKINGS}{booking.pk}/cancel/", {"reason": "ill"}).status_code == 403
        assert Booking.objects.get().status == "confirmed"


class TestEnd:
    @pytest.mark.parametrize(("request_name", "status"), [("complete", "completed"), ("no_show", "no_show")])
    def test_ends_a_confirmed_booking(
        self, admin_client: Client, admin_user: User, request_name: str, status: str
    ) -> None:
        booking = confirmed_booking()
        admin_client.post(f"{BOOKINGS}{booking.pk}/{request_name}/")
        assert Booking.objects.get().status == status
        assert AuditEntry.objects.latest("id").actor == admin_user

    @pytest.mark.parametrize("request_name", ["complete", "no_show"])
    def test_shows_why_it_is_refused(self, admin_client: Client, request_name: str) -> None:
        booking = pending_booking()
        told = said_after(admin_client, f"{BOOKINGS}{booking.pk}/{request_name}/")
        assert "Only a confirmed booking can be completed or be a no-show." in told
        assert Booking.objects.get().status == "pending"


class TestEveryRequest:
    @pytest.mark.parametrize("request_name", REQUESTS)
    def test_is_closed_to_staff_who_may_only_look(self, request_name: str) -> None:
        booking = confirmed_booking()
        answer = staff_with("view_booking").post(f"{BOOKINGS}{booking.pk}/{request_name}/", {"reason": "ill"})
        assert answer.status_code == 403
        assert Booking.objects.get().status == "confirmed"

    @pytest.mark.parametrize("request_name", REQUESTS)
    def test_is_about_a_booking_that_exists(self, admin_client: Client, request_name: str) -> None:
        assert admin_client.post(f"{BOOKINGS}{uuid4()}/{request_name}/", {"reason": "ill"}).status_code == 404

    def test_to_confirm_is_no_link(self, admin_client: Client) -> None:
        booking = pending_booking()
        assert admin_client.get(f"{BOOKINGS}{booking.pk}/confirm/").status_code == 405

    @pytest.mark.parametrize("request_name", ["complete", "no_show"])
    def test_to_end_it_is_asked_first(self, admin_client: Client, request_name: str) -> None:
        booking = confirmed_booking()
        asked = admin_client.get(f"{BOOKINGS}{booking.pk}/{request_name}/").content.decode()
        assert f"Carmen, booked by {booking.customer_email}, starts on" in asked
        assert "This is final" in asked
        assert Booking.objects.get().status == "confirmed"
