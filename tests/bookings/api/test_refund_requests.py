"""Asking for a ticket's money over HTTP: its owner under the policy, staff for all of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from bookings.errors import NothingToRefund
from bookings.models import Booking, Refund, Ticket
from bookings.services import cancel_booking, request_refund
from tests.bookings.published import names, payload, payloads
from tests.bookings.tickets import activated, active_ticket, entries, now, scanned, tonight, unbooked_ticket
from tests.factories import (
    ShowFactory,
    StaffFactory,
    TicketTypeFactory,
    confirmed_booking,
    only_ticket,
    owner_act,
    show_of,
    staff_act,
)
from tests.tickets_project.api.clients import with_token
from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


def booked(owner: User | None = None, *, starts_in: timedelta = 30 * DAY, seats: int = 1, **show: Any) -> Booking:
    return confirmed_booking(
        owner=owner, seats=seats, show=ShowFactory.create(start_time=timezone.now() + starts_in, **show)
    )


def ask(client: APIClient, ticket: Ticket, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/tickets/{ticket.id}/refund/", body, headers=headers)


def assert_refused(response: Any, ticket: Ticket, *, code: str, refunds: int = 0) -> None:
    problem = response.json()
    assert (response.status_code, problem["code"], "current_status" in problem) == (409, code, True)
    assert Refund.objects.count() == refunds
    assert now(ticket).status == ticket.status


class TestRefundTicketView:
    def test_sends_all_of_it_back_to_an_owner_in_time(self, customer: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada))
        response = ask(customer, ticket, reason="I am ill.")
        refund, answered = Refund.objects.get(), response.json()
        assert response.status_code == 202
        assert answered.pop("requested_at").endswith("Z")
        assert answered == {
            "refund_id": str(refund.id),
            "ticket_id": str(ticket.id),
            "booking_id": str(ticket.booking_id),
            "status": "requested",
            "amount": {"amount": "10.00", "currency": "EUR"},
            "reason": "I am ill.",
            "finished_at": None,
        }
        assert (refund.ticket, refund.requested_by) == (ticket, "ada")
        assert payload("RefundTicket") == {"ticket_id": str(ticket.id)}

    def test_cancels_the_ticket_and_says_so(self, customer: APIClient, ada: User) -> None:
        ticket = Ticket.objects.filter(booking=booked(ada, seats=2))[0]
        before = names()
        ask(customer, ticket, reason="I am ill.")
        assert now(ticket).status == "cancelled"
        assert names() == [*before, "RefundTicket", "ticket.cancelled", "TicketBookingCanceled_v1"]
        told = payload("ticket.cancelled")
        assert (told["ticket_id"], told["user_id"], told["admin_id"]) == (str(ticket.id), ada.pk, None)
        assert (told["reason"], told["refund_amount"]) == ("I am ill.", "10.00")
        [entry] = entries(ticket)
        assert (entry.action, entry.old, entry.new) == ("ticket_cancelled", "pending", "cancelled")
        assert (entry.actor, entry.reason) == (ada, "I am ill.")
        asked = AuditEntry.objects.get(action="refund_requested")
        assert (asked.actor, asked.new, asked.details) == (ada, "requested", {"amount": "10.00"})

    def test_frees_its_seat_and_no_other(self, customer: APIClient, ada: User) -> None:
        booking = booked(ada, seats=3)
        first, second, third = Ticket.objects.filter(booking=booking)
        ask(customer, first)
        assert show_of(booking).seats_held == 2
        assert (now(second).status, now(third).status) == ("pending", "pending")
        assert Booking.objects.get().status == "confirmed"

    def test_ends_the_booking_with_its_last_ticket(self, customer: APIClient, ada: User) -> None:
        booking = booked(ada, seats=2)
        for ticket in Ticket.objects.filter(booking=booking):
            assert ask(customer, ticket).status_code == 202
        assert show_of(booking).seats_held == 0
        assert Booking.objects.get().status == "cancelled"
        assert payload("booking.cancelled")["refund_amount"] == "20.00"
        assert len(payloads("RefundTicket")) == 2

    @pytest.mark.parametrize(
        ("starts_in", "status", "amount"),
        [
            (DAY + MINUTE, "requested", "10.00"),
            (DAY - MINUTE, "manual", "5.00"),
            (6 * HOUR + MINUTE, "manual", "5.00"),
        ],
    )
    def test_pays_an_owner_what_the_policy_says(
        self, customer: APIClient, ada: User, starts_in: timedelta, status: str, amount: str
    ) -> None:
        ticket = only_ticket(booked(ada, starts_in=starts_in))
        answered = ask(customer, ticket).json()
        assert (answered["status"], answered["amount"]["amount"]) == (status, amount)
        assert len(payloads("RefundTicket")) == (1 if status == "requested" else 0)
        assert now(ticket).status == "cancelled"
        assert payload("ticket.cancelled")["refund_amount"] == amount

    def test_has_nothing_for_an_owner_who_comes_too_late(self, customer: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada, starts_in=6 * HOUR - MINUTE))
        before = names()
        assert_refused(ask(customer, ticket), ticket, code="nothing_to_refund")
        assert names() == before

    def test_has_nothing_for_what_cost_nothing(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada, price_amount=0))
        for client in (customer, staff):
            assert_refused(ask(client, ticket), ticket, code="nothing_to_refund")

    def test_has_nothing_for_an_owner_who_has_entered(self, customer: APIClient, ada: User) -> None:
        week = TicketTypeFactory.create(name="week", valid_days=7)
        ticket = activated(only_ticket(booked(ada, ticket_type=week)))
        scanned(ticket)
        assert_refused(ask(customer, now(ticket)), now(ticket), code="nothing_to_refund")

    def test_has_nothing_more_for_the_owner_of_a_cancelled_booking(self, customer: APIClient, ada: User) -> None:
        booking = booked(ada)
        cancel_booking(booking_id=booking.id, act=staff_act(), refund_amount=Decimal("1.00"))
        ticket = only_ticket(booking)
        assert_refused(ask(customer, ticket), ticket, code="nothing_to_refund", refunds=1)

    def test_pays_back_once(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada))
        ask(customer, ticket)
        for client in (customer, staff):
            assert_refused(ask(client, now(ticket)), now(ticket), code="refund_already_requested", refunds=1)
        assert len(payloads("RefundTicket")) == 1

    def test_pays_back_a_part_once(self, customer: APIClient, staff: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada, starts_in=7 * HOUR))
        ask(customer, ticket)
        for client in (customer, staff):
            problem = ask(client, ticket).json()
            assert (problem["code"], problem["current_status"]) == ("refund_already_requested", "manual")

    def test_pays_back_once_under_one_key(self, customer: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada))
        first, second = (ask(customer, ticket, "k") for _ in range(2))
        assert (first.status_code, second.status_code, first.content) == (202, 202, second.content)
        assert Refund.objects.count() == 1

    def test_pays_staff_s_customers_all_of_it_at_any_time(self, staff: APIClient, ada: User, ann: User) -> None:
        ticket = active_ticket(ada)
        response = ask(staff, ticket)
        assert (response.status_code, response.json()["status"]) == (202, "requested")
        assert response.json()["amount"] == {"amount": "10.00", "currency": "EUR"}
        assert (now(ticket).status, payload("ticket.cancelled")["admin_id"]) == ("cancelled", ann.pk)
        assert entries(ticket)[-1].actor == ann

    def test_pays_back_a_ticket_whose_booking_nobody_knows(self, staff: APIClient) -> None:
        ticket = unbooked_ticket()
        response = ask(staff, ticket)
        assert (response.status_code, response.json()["booking_id"]) == (202, None)
        assert (now(ticket).status, payload("ticket.cancelled")["user_id"]) == ("cancelled", None)

    @pytest.mark.parametrize("role", ["", "door", "box office"])
    def test_is_not_for_staff_who_may_not(self, role: str, ada: User) -> None:
        ticket = only_ticket(booked(ada))
        assert ask(with_token(StaffFactory.create(role=role)), ticket).status_code == 404
        assert (Refund.objects.count(), now(ticket).status) == (0, "pending")

    @pytest.mark.parametrize("role", ["", "door", "box office"])
    def test_is_the_policy_s_for_staff_who_may_not(self, role: str) -> None:
        """With their own tickets they are customers like any other."""
        clerk = StaffFactory.create(role=role)
        early, late = (only_ticket(booked(clerk, starts_in=hours * HOUR)) for hours in (7, 5))
        assert ask(with_token(clerk), early).json()["amount"]["amount"] == "5.00"
        assert_refused(ask(with_token(clerk), late), late, code="nothing_to_refund", refunds=1)
        assert payload("ticket.cancelled")["admin_id"] is None

    def test_is_for_finance(self, ada: User) -> None:
        assert ask(with_token(StaffFactory.create(role="finance")), only_ticket(booked(ada))).status_code == 202

    def test_does_not_tell_others_that_it_exists(self, somebody: APIClient, ada: User) -> None:
        ticket = only_ticket(booked(ada))
        assert ask(somebody, ticket).status_code == ask(somebody, Ticket(id=uuid4())).status_code == 404
        assert (Refund.objects.count(), now(ticket).status) == (0, "pending")

    def test_is_not_for_strangers(self, nobody: APIClient, ada: User) -> None:
        assert ask(nobody, only_ticket(booked(ada))).status_code == 401

    @pytest.mark.parametrize(
        ("field", "value"),
        [("reason", "x" * 501), ("reason", None), ("reason", 7), ("refund_amount", "10.00"), ("amount", "10.00")],
    )
    def test_names_the_field_that_is_wrong(self, customer: APIClient, ada: User, field: str, value: Any) -> None:
        ticket = only_ticket(booked(ada))
        response = ask(customer, ticket, **{field: value})
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])
        assert (Refund.objects.count(), now(ticket).status) == (0, "pending")

    def test_answers_without_its_slash(self, customer: APIClient, ada: User) -> None:
        assert customer.post(f"/api/v1/tickets/{only_ticket(booked(ada)).id}/refund", {}).status_code == 202


class TestRequestRefund:
    @pytest.mark.parametrize(
        ("before", "amount"),
        [(DAY, "10.00"), (DAY - MOMENT, "5.00"), (6 * HOUR, "5.00")],
    )
    def test_pays_what_the_policy_says_to_the_moment(self, ada: User, before: timedelta, amount: str) -> None:
        booking = booked(ada)
        act = owner_act(booking, at=booking.start_time - before)
        assert request_refund(ticket_id=only_ticket(booking).id, act=act).amount == Decimal(amount)

    def test_pays_nothing_a_moment_later(self, ada: User) -> None:
        booking = booked(ada)
        with pytest.raises(NothingToRefund):
            request_refund(
                ticket_id=only_ticket(booking).id,
                act=owner_act(booking, at=booking.start_time - 6 * HOUR + MOMENT),
            )

    def test_rounds_half_a_cent_up(self, ada: User) -> None:
        booking = booked(ada, price_amount=Decimal("9.99"))
        act = owner_act(booking, at=booking.start_time - 7 * HOUR)
        assert request_refund(ticket_id=only_ticket(booking).id, act=act).amount == Decimal("5.00")

    def test_pays_staff_even_for_who_has_entered(self, ada: User) -> None:
        ticket = active_ticket(ada, show=tonight())
        scanned(ticket)
        assert request_refund(ticket_id=ticket.id, act=staff_act()).amount == Decimal("10.00")
        assert now(ticket).status == "redeemed"

    def test_pays_no_owner_for_a_ticket_whose_booking_nobody_knows(self, ada: User) -> None:
        with pytest.raises(NothingToRefund):
            request_refund(ticket_id=unbooked_ticket().id, act=Act(at=timezone.now(), actor=ada))
