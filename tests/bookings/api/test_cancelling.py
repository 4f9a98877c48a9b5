"""Cancelling over HTTP: who may, what comes back, what a refusal and a repetition leave."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.models import Booking, BookingStatus, Refund, RefundState, Ticket, TicketStatus
from bookings.services import activate_ticket, cancel_booking, complete_booking, mark_no_show, scan
from tests.bookings.published import names, payload, payloads
from tests.bookings.traces import (
    assert_refused,
    entries,
    entry,
    leaving_a_refusal,
    leaving_nothing,
    refusing_inserts,
    set_clock,
)
from tests.factories import ShowFactory, StaffFactory, confirmed_booking, pending_booking, staff_act
from tests.tickets_project.api.clients import with_token
from tickets_project.notifications.models import Notification
from tickets_project.outbox.models import Message

pytestmark = pytest.mark.django_db

REQUESTED, REFUSED = "booking.cancellation_requested", "booking_cancellation_refused"
PER_TICKET = ["ticket.cancelled", "TicketBookingCanceled_v1"]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
BOUNDARIES = [
    (24 * HOUR, "20.00"),
    (24 * HOUR - SECOND, "10.00"),
    (6 * HOUR, "10.00"),
    (6 * HOUR - SECOND, "0.00"),
    (0 * HOUR, "0.00"),
    (-HOUR, "0.00"),
]


def url(booking: Booking) -> str:
    return f"/api/v1/bookings/{booking.id}/cancel/"


def cancel(client: APIClient, booking: Booking, key: str | None = None, **body: Any) -> Any:
    return client.post(url(booking), body, headers={"Idempotency-Key": key} if key else {})


def status_of(booking: Booking) -> str:
    return str(Booking.objects.get(id=booking.id).status)


def seats_held(booking: Booking) -> tuple[int, int]:
    stored = Booking.objects.select_related("show").get(id=booking.id)
    assert stored.show
    return stored.seats_held, stored.show.seats_held


def refunds() -> list[tuple[str, Decimal, bool]]:
    """Return each refund's state and amount, and whether it is a ticket's."""
    return [(refund.status, refund.amount, refund.ticket_id is not None) for refund in Refund.objects.all()]


def cancelled(booking: Booking) -> Booking:
    return cancel_booking(booking_id=booking.id, act=staff_act())


def completed(booking: Booking) -> Booking:
    return complete_booking(booking_id=booking.id, act=staff_act())


def no_show(booking: Booking) -> Booking:
    return mark_no_show(booking_id=booking.id, act=staff_act())


class TestCancelBookingViewPost:
    def test_cancels_a_confirmed_booking_of_the_caller_s(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        response = cancel(customer, booking, reason="ill")
        answered = response.json()
        assert (response.status_code, set(answered), answered["success"]) == (200, {"success", "data"}, True)
        assert answered["data"] == customer.get(f"/api/v1/bookings/{booking.id}/").json()
        assert (answered["data"]["status"], answered["data"]["refund_amount"]) == ("cancelled", "20.00")
        assert {ticket["status"] for ticket in answered["data"]["tickets"]} == {"cancelled"}
        assert Booking.objects.get().cancellation_reason == "ill"
        assert seats_held(booking) == (0, 0)

    def test_tells_of_it_in_this_order(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        before = len(names())
        cancel(customer, booking)
        assert names()[before:] == [
            REQUESTED,
            "booking.cancelled",
            "SendNotification",
            *PER_TICKET,
            *PER_TICKET,
            "RefundTicket",
            "RefundTicket",
        ]

    def test_tells_of_it_in_full(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada, seats=1)
        cancel(customer, booking, reason="ill")
        ticket = Ticket.objects.get()
        assert payload(REQUESTED) == {
            "booking_id": str(booking.id),
            "user_id": ada.pk,
            "reason": "ill",
            "refund_amount": None,
            "admin_id": None,
        }
        at = payload("booking.cancelled")["cancelled_at"]
        assert at == customer.get(f"/api/v1/bookings/{booking.id}/").json()["cancelled_at"]
        assert payload("booking.cancelled") == {
            "booking_id": str(booking.id),
            "user_id": ada.pk,
            "cancelled_at": at,
            "reason": "ill",
            "refund_amount": "10.00",
            "admin_id": None,
        }
        assert payload("ticket.cancelled") == {
            "ticket_id": str(ticket.id),
            "user_id": ada.pk,
            "cancelled_at": at,
            "reason": "ill",
            "refund_amount": None,
            "admin_id": None,
        }
        assert payload("TicketBookingCanceled_v1") == {
            "ticket_id": str(ticket.id),
            "customer_email": ada.email,
            "price": {"amount": "10.00", "currency": "EUR"},
        }
        assert payload("RefundTicket") == {"ticket_id": str(ticket.id)}

    def test_says_who_did_it_and_what_it_changed(self, staff: APIClient, ada: User, ann: User) -> None:
        booking = confirmed_booking(owner=ada, seats=1)
        cancel(staff, booking, reason="ill", refund_amount="2.50")
        for name in (REQUESTED, "booking.cancelled", "ticket.cancelled"):
            assert (payload(name)["user_id"], payload(name)["admin_id"]) == (ada.pk, ann.pk)
        assert payload(REQUESTED)["refund_amount"] == payload("booking.cancelled")["refund_amount"] == "2.50"
        made = entry("booking_cancelled")
        assert (made.old, made.new, made.reason, made.actor) == ("confirmed", "cancelled", "ill", ann)
        assert made.details == {"refund_amount": "2.50"}
        assert (entry("ticket_cancelled").old, entry("ticket_cancelled").new) == ("pending", "cancelled")

    def test_names_the_owner_who_did_it(self, customer: APIClient, ada: User) -> None:
        cancel(customer, confirmed_booking(owner=ada, seats=1))
        made = entry("booking_cancelled")
        assert (made.actor, made.by, made.reason, made.details) == (ada, "ada", "", {"refund_amount": "10.00"})

    def test_tells_the_customer(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        cancel(customer, booking, reason="ill")
        told = Notification.objects.get(template="booking_cancelled")
        assert (told.recipient, told.email, told.about_id) == (ada, ada.email, str(booking.id))
        assert told.context == {
            "booking_id": str(booking.id),
            "title": "Carmen",
            "start_time": booking.start_time.isoformat().replace("+00:00", "Z"),
            "end_time": None,
            "location": "Teatro Real, Madrid",
            "refund_amount": "20.00",
            "currency": "EUR",
            "reason": "ill",
        }

    def test_tells_a_customer_who_gave_no_reason(self, customer: APIClient, ada: User) -> None:
        cancel(customer, pending_booking(owner=ada))
        context = Notification.objects.get().context
        assert (context["reason"], context["refund_amount"]) == (None, "0.00")

    def test_cancels_a_pending_booking_for_nothing(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        response = cancel(customer, booking)
        assert (response.status_code, response.json()["data"]["refund_amount"]) == (200, "0.00")
        assert (status_of(booking), seats_held(booking), refunds()) == ("cancelled", (0, 0), [])
        assert names()[2:] == [REQUESTED, "booking.cancelled", "SendNotification"]
        assert entry("booking_cancelled").old == "pending"

    def test_gives_the_seats_of_no_other_booking_back(self, customer: APIClient, ada: User) -> None:
        show = ShowFactory.create()
        booking = confirmed_booking(owner=ada, show=show, seats=3)
        other = confirmed_booking(show=show, seats=4)
        cancel(customer, booking)
        assert seats_held(other) == (4, 4)
        assert status_of(other) == "confirmed"
        assert set(other.tickets.values_list("status", flat=True)) == {"pending"}

    def test_cancels_active_tickets_and_leaves_used_ones(self, staff: APIClient) -> None:
        booking = confirmed_booking(seats=3)
        active, used, _ = booking.tickets.order_by("id")
        for ticket in (active, used):
            activate_ticket(ticket_id=ticket.id, act=staff_act(), code=None)
        scan(code=used.redemption_code, act=staff_act(at=booking.valid_from), location="", nonce=None)
        assert cancel(staff, booking).status_code == 200
        statuses = dict(Ticket.objects.values_list("id", "status"))
        assert statuses.pop(used.id) == TicketStatus.REDEEMED
        assert set(statuses.values()) == {TicketStatus.CANCELLED}
        assert len(payloads("ticket.cancelled")) == 2

    @pytest.mark.parametrize(("notice", "refund"), BOUNDARIES)
    def test_pays_back_what_the_policy_says_and_the_preview_said(
        self, customer: APIClient, ada: User, monkeypatch: pytest.MonkeyPatch, notice: timedelta, refund: str
    ) -> None:
        show = ShowFactory.create(start_time=timezone.now() + timedelta(days=9))
        booking = confirmed_booking(owner=ada, show=show)
        set_clock(monkeypatch, show.start_time - notice)
        with leaving_nothing():
            preview = customer.get(url(booking))
        assert (preview.status_code, preview.json()) == (200, {"refund_amount": refund, "currency": "EUR"})
        assert cancel(customer, booking).json()["data"]["refund_amount"] == refund
        assert payload("booking.cancelled")["refund_amount"] == refund

    def test_previews_in_the_currency_that_the_vendor_was_paid_in(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada, show=ShowFactory.create(dead_nation_id=uuid4()))
        Ticket.of(booking, created_at=timezone.now(), price_amount=Decimal(12), price_currency="CHF").save()
        assert customer.get(url(booking)).json() == {"refund_amount": "12.00", "currency": "CHF"}

    @pytest.mark.parametrize("notice", [notice for notice, _ in BOUNDARIES])
    def test_pays_all_back_when_staff_cancel(
        self, staff: APIClient, monkeypatch: pytest.MonkeyPatch, notice: timedelta
    ) -> None:
        show = ShowFactory.create(start_time=timezone.now() + timedelta(days=9))
        booking = confirmed_booking(show=show)
        set_clock(monkeypatch, show.start_time - notice)
        assert staff.get(url(booking)).json()["refund_amount"] == "20.00"
        assert cancel(staff, booking).json()["data"]["refund_amount"] == "20.00"

    def test_rounds_half_a_cent_up(self, customer: APIClient, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        show = ShowFactory.create(price_amount=Decimal("0.33"))
        booking = confirmed_booking(owner=ada, show=show, seats=1)
        set_clock(monkeypatch, show.start_time - 10 * HOUR)
        assert customer.get(url(booking)).json()["refund_amount"] == "0.17"
        assert cancel(customer, booking).json()["data"]["refund_amount"] == "0.17"

    def test_has_the_whole_price_of_each_ticket_refunded(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        cancel(customer, booking)
        assert refunds() == [(RefundState.REQUESTED, Decimal("10.00"), True)] * 2
        assert {told["ticket_id"] for told in payloads("RefundTicket")} == {
            str(ticket.id) for ticket in booking.tickets.all()
        }

    @pytest.mark.parametrize("amount", ["0.01", "10.00", "19.99"])
    def test_leaves_a_part_to_a_person(self, staff: APIClient, amount: str) -> None:
        booking = confirmed_booking()
        assert cancel(staff, booking, refund_amount=amount).json()["data"]["refund_amount"] == amount
        assert refunds() == [(RefundState.MANUAL, Decimal(amount), False)]
        assert payloads("RefundTicket") == []
        assert entry("refund_requested").details == {"amount": amount}

    @pytest.mark.parametrize("amount", ["0", "0.00"])
    def test_pays_nothing_back_when_staff_say_so(self, staff: APIClient, amount: str) -> None:
        response = cancel(staff, confirmed_booking(), refund_amount=amount)
        assert response.json()["data"]["refund_amount"] == "0.00"
        assert (refunds(), payloads("RefundTicket")) == ([], [])

    def test_takes_the_whole_price_for_an_amount(self, staff: APIClient) -> None:
        assert cancel(staff, confirmed_booking(), refund_amount="20").json()["data"]["refund_amount"] == "20.00"
        assert refunds() == [(RefundState.REQUESTED, Decimal("10.00"), True)] * 2

    def test_leaves_the_money_of_a_booking_without_tickets_to_a_person(self, staff: APIClient) -> None:
        show = ShowFactory.create(ticket_type__name="list", ticket_type__makes_tickets=False)
        cancel(staff, confirmed_booking(show=show))
        assert refunds() == [(RefundState.MANUAL, Decimal("20.00"), False)]

    def test_pays_nothing_back_of_what_was_free(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada, show=ShowFactory.create(price_amount=0))
        assert customer.get(url(booking)).json()["refund_amount"] == "0.00"
        assert cancel(customer, booking).json()["data"]["refund_amount"] == "0.00"
        assert (refunds(), payloads("RefundTicket")) == ([], [])
        assert set(booking.tickets.values_list("status", flat=True)) == {"cancelled"}

    def test_takes_null_for_what_is_left_out(self, customer: APIClient, ada: User) -> None:
        response = cancel(customer, confirmed_booking(owner=ada), reason=None, refund_amount=None)
        assert (response.status_code, response.json()["data"]["refund_amount"]) == (200, "20.00")

    def test_answers_both_slash_forms(self, customer: APIClient, ada: User) -> None:
        booking = pending_booking(owner=ada)
        assert customer.get(url(booking).rstrip("/")).status_code == 200
        assert customer.post(url(booking).rstrip("/"), {}).status_code == 200

    def test_cancels_once_under_one_key(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        first, second = (cancel(customer, booking, "k", reason="ill") for _ in range(2))
        assert (first.status_code, first.content) == (second.status_code, second.content) == (200, first.content)
        assert len(payloads(REQUESTED)) == len(payloads("booking.cancelled")) == len(entries("booking_cancelled")) == 1
        assert cancel(customer, booking, "k").json()["code"] == "idempotency_key_reused"

    def test_takes_a_refused_key_again(self, staff: APIClient) -> None:
        booking = confirmed_booking()
        assert cancel(staff, booking, "k", refund_amount="99").status_code == 400
        Booking.objects.update(price_amount=99)
        assert cancel(staff, booking, "k", refund_amount="99").status_code == 200

    def test_stores_the_request_s_trace(self, staff: APIClient) -> None:
        booking = pending_booking()
        already = Message.objects.count()
        staff.post(url(booking), {}, headers={"Correlation-ID": "desk-7"})
        told = Message.objects.order_by("sequence")[already:]
        assert {message.headers["correlation_id"] for message in told} == {"desk-7"}
        assert entry("booking_cancelled").correlation_id == "desk-7"
        assert Notification.objects.get().correlation_id == "desk-7"


class TestCancelBookingViewRefusal:
    @pytest.mark.parametrize(
        ("bring", "code", "status"),
        [
            (cancelled, "booking_already_cancelled", "cancelled"),
            (completed, "booking_not_cancellable", "completed"),
            (no_show, "booking_not_cancellable", "no_show"),
        ],
    )
    def test_refuses_what_is_over(
        self, customer: APIClient, ada: User, bring: Callable[[Booking], Booking], code: str, status: str
    ) -> None:
        booking = bring(confirmed_booking(owner=ada))
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ada, error_type=code, current_status=status):
            assert_refused(cancel(customer, booking), 409, code, current_status=status)
        preview = customer.get(url(booking)).json()
        assert (preview["status"], preview["code"], preview["current_status"]) == (409, code, status)

    @pytest.mark.parametrize("amount", ["0", "20.00", "99.00"])
    def test_takes_no_amount_of_a_customer(self, customer: APIClient, ada: User, amount: str) -> None:
        booking, code = confirmed_booking(owner=ada), "refund_amount_is_for_staff"
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ada, error_type=code):
            assert_refused(cancel(customer, booking, refund_amount=amount), 400, code)
        assert payload(REQUESTED)["refund_amount"] == f"{Decimal(amount):.2f}"

    @pytest.mark.parametrize(
        ("make", "amount", "most"),
        [
            (confirmed_booking, "20.01", "20.00"),
            (confirmed_booking, "99999999.99", "20.00"),
            (pending_booking, "0.01", "0.00"),
        ],
    )
    def test_pays_no_more_back_than_was_paid(
        self, staff: APIClient, ann: User, make: Callable[[], Booking], amount: str, most: str
    ) -> None:
        booking, code = make(), "refund_amount_too_high"
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ann, error_type=code, refundable=most):
            assert_refused(cancel(staff, booking, refund_amount=amount), 400, code, refundable=most)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("reason", "x" * 501),
            ("reason", "i\0ll"),
            ("reason", 7),
            ("reason", ["ill"]),
            ("refund_amount", "-1"),
            ("refund_amount", "1.001"),
            ("refund_amount", 5),
            ("refund_amount", "1e1"),
            ("refund_amount", "100000000"),
            ("refund_amount", {"amount": "5.00", "currency": "EUR"}),
            ("refund", "5.00"),
            ("admin_id", 1),
            ("status", "cancelled"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, staff: APIClient, field: str, value: Any) -> None:
        booking = confirmed_booking()
        with leaving_nothing():
            response = cancel(staff, booking, **{field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient) -> None:
        booking = confirmed_booking()
        with leaving_nothing():
            for asked in (booking, Booking(id=uuid4())):
                assert cancel(somebody, asked).status_code == 404
                assert somebody.get(url(asked)).status_code == 404

    @pytest.mark.parametrize("role", ["", "door", "finance"])
    def test_takes_staff_who_may_not_for_customers(self, role: str) -> None:
        member = StaffFactory.create(role=role)
        booking = confirmed_booking()
        with leaving_nothing():
            assert cancel(with_token(member), booking).status_code == 404
        own = confirmed_booking(owner=member)
        assert cancel(with_token(member), own, refund_amount="1").json()["code"] == "refund_amount_is_for_staff"
        assert cancel(with_token(member), own).status_code == 200
        assert payload("booking.cancelled")["admin_id"] is None

    def test_lets_the_box_office(self) -> None:
        assert cancel(with_token(StaffFactory.create(role="box office")), confirmed_booking()).status_code == 200

    def test_is_not_for_strangers(self, nobody: APIClient) -> None:
        booking = confirmed_booking()
        with leaving_nothing():
            assert cancel(nobody, booking).status_code == 401
            assert nobody.get(url(booking)).status_code == 401

    def test_changes_nothing_on_get(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        with leaving_nothing():
            assert customer.get(url(booking)).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestCancelBookingViewTransaction:
    @pytest.mark.parametrize("key", [None, "k"])
    def test_commits_the_request_of_a_refusal_and_nothing_else(
        self, customer: APIClient, ada: User, key: str | None
    ) -> None:
        booking, code = confirmed_booking(owner=ada), "refund_amount_is_for_staff"
        with leaving_a_refusal(REQUESTED, REFUSED, booking, by=ada, error_type=code):
            assert cancel(customer, booking, key, refund_amount="1").status_code == 400
        assert status_of(booking) == BookingStatus.CONFIRMED

    def test_rolls_all_back_together(self, customer: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        with leaving_nothing(), refusing_inserts("bookings_refund"):
            assert cancel(customer, booking).status_code == 500
