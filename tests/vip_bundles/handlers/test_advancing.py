"""Which message finds which bundle, and what is nobody's business here."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.services import confirm_booking
from tests.factories import made_bundle, pending_booking, staff_act
from tests.vip_bundles.stored import (
    ADVANCING,
    audited,
    booking_failed,
    booking_made,
    confirmed,
    hear,
    inbound_booked,
    inbound_failed,
    initialized,
    leaving_nothing,
    standing,
    state_of,
    stored,
    taxi_booked,
    taxi_failed,
)
from tests.working import deliver_all
from tickets_project.outbox.messages import Message
from tickets_project.outbox.models import Delivery
from tickets_project.subscriptions import SUBSCRIPTIONS
from vip_bundles.facts import State
from vip_bundles.handlers import advancing
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db

CountQueries = Callable[[int], AbstractContextManager[Any]]

HEARD: list[tuple[State, Callable[[VipBundle], Message], str]] = [
    (State.INITIALIZED, initialized, "booking_show"),
    (State.BOOKING_SHOW, booking_made, "booking_inbound_flight"),
    (State.BOOKING_SHOW, booking_failed, "failed"),
    (State.BOOKING_INBOUND_FLIGHT, inbound_booked, "booking_return_flight"),
    (State.BOOKING_INBOUND_FLIGHT, inbound_failed, "failed"),
    (State.BOOKING_TAXI, taxi_booked, "finalized"),
    (State.BOOKING_TAXI, taxi_failed, "failed"),
]


class TestSubscriptions:
    def test_have_a_handler_for_each_message_that_a_bundle_hears(self) -> None:
        handlers = {advancing.on_initialized, advancing.on_booking, advancing.on_transport}
        assert [entry.key for entry in SUBSCRIPTIONS if entry.handler in handlers] == ADVANCING

    @pytest.mark.parametrize(("state", "message", "expected"), HEARD)
    def test_bring_each_message_to_its_bundle_alone(
        self, state: State, message: Callable[[VipBundle], Message], expected: str
    ) -> None:
        bundle, other = standing(state), standing(state)
        if state is State.INITIALIZED:
            Delivery.objects.all().delete()
        hear(message(bundle))
        assert state_of(bundle) == expected
        assert state_of(other) == state
        assert audited(bundle)[-1][-1] == "vip bundles"

    def test_bring_each_ticket_to_its_bundle(self) -> None:
        bundle, other = standing(State.BOOKING_SHOW), standing(State.BOOKING_SHOW)
        told = confirmed(bundle)
        hear(told)
        assert stored(bundle).facts().ticket_ids == {told.ticket_id}
        assert stored(other).facts().ticket_ids == set()


class TestOnBooking:
    def test_ignores_the_bookings_of_others_and_their_tickets(self) -> None:
        booking = confirm_booking(booking_id=pending_booking(seats=2).id, act=staff_act(), payment_id=None)
        heard = Delivery.objects.filter(handler__in=ADVANCING)
        assert heard.filter(message__payload__booking_id=str(booking.id)).count() == 3
        with leaving_nothing():
            deliver_all(*ADVANCING)
        assert set(heard.values_list("status", "attempts", "last_error")) == {("delivered", 1, "")}

    def test_asks_once_and_locks_nothing_for_them(self) -> None:
        made_bundle()
        other = VipBundle(booking_id=uuid4(), show_id=uuid4(), number_of_tickets=1)
        for message in (booking_made(other), booking_failed(other), confirmed(other)):
            with CaptureQueriesContext(connection) as asked:
                advancing.on_booking(message)
            assert len(asked) == 1
            assert '"booking_id" = ' in asked[0]["sql"]

    def test_asks_nothing_about_a_ticket_without_a_booking(self, django_assert_num_queries: CountQueries) -> None:
        ticket = replace(confirmed(made_bundle()), booking_id="")
        with django_assert_num_queries(0):
            advancing.on_booking(ticket)
