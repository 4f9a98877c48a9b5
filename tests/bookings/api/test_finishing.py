"""Completing a booking and marking a no-show over HTTP, which only staff do."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.services import cancel_booking, complete_booking, mark_no_show
from tests.bookings.published import names, payload
from tests.bookings.traces import entry, leaving_nothing
from tests.factories import StaffFactory, confirmed_booking, pending_booking, staff_act
from tests.tickets_project.api.clients import with_token

pytestmark = pytest.mark.django_db

ENDS = [("complete", "completed"), ("no-show", "no_show")]
each_end = pytest.mark.parametrize("path", [path for path, _ in ENDS])


def end(client: APIClient, booking: Booking, path: str, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/bookings/{booking.id}/{path}/", body, headers=headers)


def pending() -> Booking:
    return pending_booking()


def cancelled() -> Booking:
    return cancel_booking(booking_id=confirmed_booking().id, act=staff_act())


def completed() -> Booking:
    return complete_booking(booking_id=confirmed_booking().id, act=staff_act())


def no_show() -> Booking:
    return mark_no_show(booking_id=confirmed_booking().id, act=staff_act())


class TestEndBookingView:
    @pytest.mark.parametrize(("path", "status"), ENDS)
    def test_ends_a_confirmed_booking_at_any_time(self, staff: APIClient, path: str, status: str) -> None:
        booking = confirmed_booking()
        before = names()
        response = end(staff, booking, path)
        answered = response.json()
        assert (response.status_code, answered["booking_id"]) == (200, str(booking.id))
        assert (answered["status"], len(answered["tickets"])) == (status, 2)
        assert answered == staff.get(f"/api/v1/bookings/{booking.id}/").json()
        assert names() == [*before, f"booking.{status}"]

    @pytest.mark.parametrize(("path", "status"), ENDS)
    def test_says_who_did_it(self, staff: APIClient, ann: User, path: str, status: str) -> None:
        booking = confirmed_booking()
        end(staff, booking, path)
        made = entry(f"booking_{status}")
        assert (made.old, made.new, made.actor, made.subject_id) == ("confirmed", status, ann, str(booking.id))

    def test_tells_of_a_completed_booking(self, staff: APIClient, ada: User) -> None:
        booking = confirmed_booking(owner=ada)
        end(staff, booking, "complete")
        told = payload("booking.completed")
        at = told.pop("completed_at")
        assert told == {"booking_id": str(booking.id), "user_id": ada.pk, "review_requested": True}
        assert at == f"{Booking.objects.get().completed_at:%Y-%m-%dT%H:%M:%S.%fZ}"

    def test_tells_of_a_no_show(self, staff: APIClient, ada: User, ann: User) -> None:
        booking = confirmed_booking(owner=ada)
        end(staff, booking, "no-show")
        told = payload("booking.no_show")
        at = told.pop("marked_no_show_at")
        assert told == {"booking_id": str(booking.id), "user_id": ada.pk, "staff_id": ann.pk}
        assert at == f"{Booking.objects.get().no_show_at:%Y-%m-%dT%H:%M:%S.%fZ}"

    @each_end
    def test_gives_no_seat_back(self, staff: APIClient, path: str) -> None:
        booking = confirmed_booking(seats=3)
        end(staff, booking, path)
        stored = Booking.objects.select_related("show").get()
        assert stored.show
        assert (stored.seats_held, stored.show.seats_held) == (3, 3)

    @each_end
    @pytest.mark.parametrize("make", [pending, cancelled, completed, no_show])
    def test_refuses_what_is_not_confirmed(self, staff: APIClient, path: str, make: Callable[[], Booking]) -> None:
        booking = make()
        with leaving_nothing():
            response = end(staff, booking, path)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (409, "booking_not_confirmed")
        assert problem["current_status"] == make.__name__
        assert response.headers["Content-Type"] == "application/problem+json"

    @each_end
    def test_ends_it_once_under_one_key(self, staff: APIClient, path: str) -> None:
        booking = confirmed_booking()
        first, second = (end(staff, booking, path, "k") for _ in range(2))
        assert (first.status_code, first.content) == (second.status_code, second.content) == (200, first.content)
        assert end(staff, booking, path).status_code == 409

    @each_end
    def test_is_for_staff_who_may_change_bookings(
        self, customer: APIClient, nobody: APIClient, ada: User, path: str
    ) -> None:
        booking = confirmed_booking(owner=ada)
        with leaving_nothing():
            assert end(customer, booking, path).status_code == 403
            assert end(nobody, booking, path).status_code == 401
        for role in ("", "door", "finance"):
            assert end(with_token(StaffFactory.create(role=role)), booking, path).status_code == 403
        assert Booking.objects.get().status == "confirmed"
        assert end(with_token(StaffFactory.create(role="box office")), booking, path).status_code == 200

    @each_end
    def test_is_404_for_an_unknown_booking(self, staff: APIClient, path: str) -> None:
        assert end(staff, Booking(id=uuid4()), path).status_code == 404

    @each_end
    def test_refuses_a_field(self, staff: APIClient, path: str) -> None:
        booking = confirmed_booking()
        with leaving_nothing():
            response = end(staff, booking, path, reason="late")
        assert (response.status_code, list(response.json()["errors"])) == (400, ["reason"])

    @each_end
    def test_takes_no_body_and_no_slash(self, staff: APIClient, path: str) -> None:
        assert staff.post(f"/api/v1/bookings/{confirmed_booking().id}/{path}").status_code == 200

    def test_asks_the_database_as_often_for_many_tickets_as_for_one(
        self, staff: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        booking = confirmed_booking(seats=9)
        with django_assert_max_num_queries(18):
            end(staff, booking, "complete")
