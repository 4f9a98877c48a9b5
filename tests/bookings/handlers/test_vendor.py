"""Booking with the vendor."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from bookings.events import BookingMadeV1
from bookings.handlers.vendor import book_at_vendor
from bookings.models import Booking
from bookings.services import cancel_booking
from tests.factories import ShowFactory, owner_act, pending_booking
from tests.tickets_project.gateway.receiver import receiving
from tests.working import deliver_due
from tickets_project.gateway.errors import PermanentUpstreamError, TemporaryUpstreamError
from tickets_project.outbox.models import Delivery

Calls = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def booking(db: None) -> Booking:  # noqa: ARG001 - opens the database
    return pending_booking(show=ShowFactory.create(dead_nation_id=uuid4()), seats=3)


def made(booking: Booking, **facts: Any) -> BookingMadeV1:
    defaults: dict[str, Any] = {
        "booking_id": str(booking.id),
        "number_of_tickets": booking.number_of_tickets,
        "customer_email": booking.customer_email,
        "show_id": str(booking.show_id),
    }
    return BookingMadeV1(**defaults | facts)


@pytest.mark.django_db
class TestBookAtVendor:
    def test_passes_the_booking_on(self, booking: Booking, settings: Settings) -> None:
        with receiving() as vendor:
            settings.GATEWAY_URL = vendor.url.partition("/api/")[0]
            # What answers here does not answer as the vendor does.
            with pytest.raises(TemporaryUpstreamError):
                book_at_vendor(made(booking))
            [received] = vendor.received
        assert booking.show is not None
        assert (received.method, received.path) == ("POST", "/dead-nation-api/ticket/booking")
        assert json.loads(received.body) == {
            "booking_id": str(booking.id),
            "event_id": str(booking.show.dead_nation_id),
            "customer_address": booking.customer_email,
            "number_of_tickets": 3,
        }

    def test_has_nothing_to_record(self, booking: Booking, calls: Calls) -> None:
        book_at_vendor(made(booking))
        assert [call["status"] for call in calls("dead_nation.book")] == [200]

    def test_leaves_the_shows_that_the_vendor_does_not_sell(self, calls: Calls) -> None:
        book_at_vendor(made(pending_booking()))
        assert calls("dead_nation.book") == []

    def test_leaves_a_booking_that_is_pending_no_longer(self, booking: Booking, calls: Calls) -> None:
        cancel_booking(booking_id=booking.id, act=owner_act(booking))
        book_at_vendor(made(booking))
        assert calls("dead_nation.book") == []

    def test_leaves_a_booking_that_nobody_knows(self, booking: Booking, calls: Calls) -> None:
        book_at_vendor(made(booking, booking_id=str(uuid4())))
        assert calls("dead_nation.book") == []

    @pytest.mark.parametrize(("status", "error"), [(500, TemporaryUpstreamError), (403, PermanentUpstreamError)])
    def test_fails_when_the_vendor_does(
        self, booking: Booking, fault: Callable[..., None], status: int, error: type[Exception]
    ) -> None:
        fault("dead_nation.book", status=status)
        with pytest.raises(error):
            book_at_vendor(made(booking))


@pytest.mark.django_db(transaction=True)
class TestBookAtVendorDelivered:
    def test_is_delivered_when_a_booking_is_made(self, calls: Calls) -> None:
        pending_booking(show=ShowFactory.create(dead_nation_id=uuid4()))
        deliver_due()
        assert len(calls("dead_nation.book")) == 1
        assert Delivery.objects.get(handler="bookings.book_at_vendor").status == "delivered"
