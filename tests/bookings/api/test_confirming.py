"""Confirming over HTTP: who may, what it needs, what a refusal and a repetition leave."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from bookings.models import Booking, BookingStatus, Show, Ticket
from bookings.services import cancel_booking, complete_booking, mark_no_show
from tests.bookings.published import names, payload, payloads
from tests.bookings.traces import (
    assert_refused,
    entries,
    entry,
    leaving_a_refusal,
    leaving_nothing,
    refusing_inserts,
)
from tests.factories import (
    ShowFactory,
    StaffFactory,
    TicketTypeFactory,
    confirmed_booking,
    pending_booking,
    staff_act,
)
from tests.tickets_project.api.clients import with_token
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db

MADE = ["booking.created", "BookingMade_v1"]
REQUESTED, REFUSED = "booking.confirmation_requested", "booking_confirmation_refused"


def confirm(client: APIClient, booking: Booking, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/bookings/{booking.id}/confirm/", body, headers=headers)


def assert_still_pending(booking: Booking, *, requests: int = 1) -> None:
    assert Booking.objects.get(id=booking.id).status == BookingStatus.PENDING
    assert not Ticket.objects.exists()
    assert names() == [*MADE, *[REQUESTED] * requests]


class TestConfirmBookingView:
    def test_confirms_for_a_payment(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        response = confirm(customer, booking, payment_id="pay-1")
        answered = response.json()
        assert (response.status_code, set(answered), answered["success"]) == (200, {"success", "data"}, True)
        assert answered["data"] == customer.get(f"/api/v1/bookings/{booking.id}/").json()
        assert (answered["data"]["status"], len(answered["data"]["tickets"])) == ("confirmed", 2)
        assert payload(REQUESTED) == {
            "booking_id": str(booking.id),
            "user_id": ada.pk,
            "payment_id": "pay-1",
            "admin_id": None,
        }
        ticket_events = ["ticket.created", "TicketBookingConfirmed_v1"]
        assert names() == [*MADE, REQUESTED, "booking.confirmed", *ticket_events, *ticket_events, "SendNotification"]

    def test_lets_staff_confirm_without_payment(self, staff: APIClient, ada: User, ann: User) -> None:
        assert confirm(staff, pending_booking(owner=ada)).status_code == 200
        for name in (REQUESTED, "booking.confirmed"):
            assert (payload(name)["user_id"], payload(name)["admin_id"]) == (ada.pk, ann.pk)

    def test_takes_null_for_a_payment_left_out(self, customer: APIClient, ada: User) -> None:
        free = pending_booking(owner=ada, show=ShowFactory.create(price_amount=0))
        assert confirm(customer, free, payment_id=None).status_code == 200

    def test_needs_a_payment(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        response = confirm(customer, booking)
        problem = response.json()
        assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")
        assert (problem["code"], problem["success"], problem["error_type"]) == (
            "payment_required",
            False,
            "payment_required",
        )
        assert_still_pending(booking)

    def test_refuses_a_payment_that_confirmed_another(self, customer: APIClient, ada: User) -> None:
        first, second = pending_booking(owner=ada), pending_booking(owner=ada)
        confirm(customer, first, payment_id="pay-1")
        response = confirm(customer, second, payment_id="pay-1")
        assert (response.status_code, response.json()["error_type"]) == (409, "payment_already_used")
        assert Booking.objects.get(id=second.id).status == BookingStatus.PENDING
        assert len(payloads(REQUESTED)) == 2
        assert len(payloads("booking.confirmed")) == 1
        assert confirm(customer, second, payment_id="pay-2").status_code == 200

    def test_refuses_what_is_not_pending(self, staff: APIClient) -> None:
        booking = confirmed_booking()
        before = names()
        response = confirm(staff, booking)
        problem = response.json()
        assert (response.status_code, problem["code"], problem["current_status"]) == (
            409,
            "booking_not_pending",
            "confirmed",
        )
        assert (problem["success"], problem["error_type"]) == (False, "booking_not_pending")
        assert names() == [*before, REQUESTED]
        assert Ticket.objects.count() == 2

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient) -> None:
        booking = pending_booking()
        assert confirm(somebody, booking, payment_id="pay-1").status_code == 404
        assert confirm(somebody, Booking(id=uuid4()), payment_id="pay-1").status_code == 404
        assert_still_pending(booking, requests=0)

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        booking = pending_booking()
        assert confirm(nobody, booking, payment_id="pay-1").status_code == 401
        assert_still_pending(booking, requests=0)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("payment_id", ""),
            ("payment_id", "x" * 101),
            ("payment_id", "pay\0"),
            ("payment_id", ["pay-1"]),
            ("payment_id", True),
            ("payment", "pay-1"),
            ("status", "confirmed"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, customer: APIClient, ada: User, field: str, value: Any) -> None:
        booking = pending_booking(owner=ada)
        response = confirm(customer, booking, **{field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert_still_pending(booking, requests=0)

    def test_confirms_once_under_one_key(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        first, second = (confirm(customer, booking, "k", payment_id="pay-1") for _ in range(2))
        assert (first.status_code, first.content) == (second.status_code, second.content) == (200, first.content)
        assert (len(payloads(REQUESTED)), Ticket.objects.count()) == (1, 2)

    def test_takes_a_refused_key_again(self, staff: APIClient, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        assert confirm(customer, booking, "k").status_code == 400
        assert_still_pending(booking)
        Booking.objects.update(price_amount=0)
        assert confirm(customer, booking, "k").status_code == 200
        assert confirm(staff, booking, "k").status_code == 409

    def test_frees_no_seats_and_takes_none(self, staff: APIClient) -> None:
        booking = pending_booking(seats=3)
        confirm(staff, booking)
        assert Show.objects.get().seats_held == 3

    def test_stores_the_request_s_trace_with_its_messages(self, staff: APIClient) -> None:
        booking = pending_booking()
        url = f"/api/v1/bookings/{booking.id}/confirm"
        assert staff.post(url, {}, headers={"Correlation-ID": "door-7"}).status_code == 200
        told = Message.objects.exclude(type__in=MADE)
        assert {message.headers["correlation_id"] for message in told} == {"door-7"}


class TestConfirmBookingViewTraces:
    def test_says_who_did_it_and_what_it_made(self, staff: APIClient, ada: User, ann: User) -> None:
        booking = pending_booking(owner=ada)
        url = f"/api/v1/bookings/{booking.id}/confirm/"
        staff.post(url, {"payment_id": "pay-1"}, headers={"Correlation-ID": "desk-7"})
        made = entry("booking_confirmed")
        assert (made.subject_type, made.subject_id) == ("booking", str(booking.id))
        assert (made.old, made.new, made.actor, made.by) == ("pending", "confirmed", ann, "ann")
        assert made.at == Booking.objects.get().confirmed_at
        assert made.correlation_id == "desk-7"
        code = Booking.objects.get().confirmation_code
        assert made.details == {"confirmation_code": code, "payment_id": "pay-1", "tickets_created": 2}

    def test_names_the_owner_who_did_it(self, customer: APIClient, ada: User) -> None:
        confirm(customer, pending_booking(owner=ada), payment_id="pay-1")
        assert (entry("booking_confirmed").actor, entry("booking_confirmed").by) == (ada, "ada")

    def test_tells_the_customer_with_the_codes(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        confirm(customer, booking, payment_id="pay-1")
        told = Notification.objects.get()
        assert (told.template, told.recipient, told.email) == ("booking_confirmed", ada, ada.email)
        assert (told.about_type, told.about_id) == ("booking", str(booking.id))
        assert payload("SendNotification")["notification_id"] == str(told.id)
        codes = told.context.pop("activation_codes")
        assert told.context == {
            "booking_id": str(booking.id),
            "confirmation_code": Booking.objects.get().confirmation_code,
            "title": "Carmen",
            "start_time": booking.start_time.isoformat().replace("+00:00", "Z"),
            "end_time": None,
            "location": "Teatro Real, Madrid",
            "tickets_count": 2,
        }
        stored = Ticket.objects.values_list("id", "activation_code")
        assert {(code["ticket_id"], code["activation_code"]) for code in codes} == {
            (str(ticket_id), code) for ticket_id, code in stored
        }
        assert all(code for _, code in stored)

    def test_activates_at_once_where_the_type_says_so(self, staff: APIClient) -> None:
        at_once = TicketTypeFactory.create(name="at once", activation="on_confirmation")
        answered = confirm(staff, pending_booking(show=ShowFactory.create(ticket_type=at_once), seats=1)).json()
        assert [ticket["status"] for ticket in answered["data"]["tickets"]] == ["active"]
        assert names()[2:] == [
            REQUESTED,
            "booking.confirmed",
            "ticket.created",
            "TicketBookingConfirmed_v1",
            "ticket.activated",
            "SendNotification",
            "SendNotification",
        ]
        assert Notification.objects.get(template="booking_confirmed").context["activation_codes"] == []

    def test_makes_no_tickets_where_the_type_says_so(self, staff: APIClient) -> None:
        silent = TicketTypeFactory.create(name="list", makes_tickets=False)
        answered = confirm(staff, pending_booking(show=ShowFactory.create(ticket_type=silent))).json()
        assert answered["data"]["tickets"] == []
        assert entry("booking_confirmed").details["tickets_created"] == 0
        assert Notification.objects.get().context["tickets_count"] == 0

    def test_writes_nothing_down_twice_under_one_key(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        confirm(customer, booking, "k", payment_id="pay-1")
        with leaving_nothing():
            assert confirm(customer, booking, "k", payment_id="pay-1").status_code == 200
        assert len(entries("booking_confirmed")) == 1


class TestConfirmBookingViewRefusal:
    def test_needs_a_payment(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ada, error_type="payment_required"):
            assert_refused(confirm(customer, booking), 400, "payment_required")

    def test_refuses_a_payment_that_confirmed_another(self, customer: APIClient, ada: User) -> None:
        confirm(customer, pending_booking(owner=ada), payment_id="pay-1")
        second, code = pending_booking(owner=ada), "payment_already_used"
        with leaving_a_refusal(REQUESTED, REFUSED, second, by=ada, error_type=code, current_status="pending"):
            response = confirm(customer, second, payment_id="pay-1")
            assert_refused(response, 409, code, current_status="pending")

    def test_leaves_what_the_vendor_sells_to_the_vendor(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        code, show = "confirmed_by_vendor", ShowFactory.create(dead_nation_id=uuid4())
        booking = pending_booking(owner=ada, show=show)
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ada, error_type=code, current_status="pending"):
            assert_refused(confirm(customer, booking, payment_id="p"), 409, code, current_status="pending")
        assert confirm(staff, booking).json()["code"] == code

    @pytest.mark.parametrize("end", [cancel_booking, complete_booking, mark_no_show])
    def test_refuses_what_is_over(self, staff: APIClient, ann: User, end: Any) -> None:
        booking = end(booking_id=confirmed_booking().id, act=staff_act())
        code, status = "booking_not_pending", booking.status
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ann, error_type=code, current_status=status):
            assert_refused(confirm(staff, booking), 409, code, current_status=status)

    def test_refuses_a_pending_booking_that_was_cancelled(self, customer: APIClient, ada: User) -> None:
        booking = cancel_booking(booking_id=pending_booking(owner=ada).id, act=staff_act())
        response = confirm(customer, booking, payment_id="pay-1")
        assert_refused(response, 409, "booking_not_pending", current_status="cancelled")
        assert not Ticket.objects.exists()

    @pytest.mark.parametrize("role", ["", "door", "finance"])
    def test_takes_staff_who_may_not_for_customers(self, role: str) -> None:
        member = StaffFactory.create(role=role)
        booking = pending_booking()
        with leaving_nothing():
            assert confirm(with_token(member), booking).status_code == 404
        assert_refused(confirm(with_token(member), pending_booking(owner=member)), 400, "payment_required")

    def test_lets_the_box_office(self) -> None:
        assert confirm(with_token(StaffFactory.create(role="box office")), pending_booking()).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestConfirmBookingViewTransaction:
    @pytest.mark.parametrize("key", [None, "k"])
    def test_commits_the_request_of_a_refusal_and_nothing_else(
        self, customer: APIClient, ada: User, key: str | None
    ) -> None:
        booking = pending_booking(owner=ada)
        assert confirm(customer, booking, key).status_code == 400
        assert_still_pending(booking)

    def test_rolls_all_back_together(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        with leaving_nothing(), refusing_inserts("notifications_notification"):
            assert confirm(customer, booking, payment_id="pay-1").status_code == 500
        assert confirm(customer, booking, payment_id="pay-1").status_code == 200
