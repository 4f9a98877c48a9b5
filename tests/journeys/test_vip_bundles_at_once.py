"""Many VIP bundles at once, a fifth of which fail, beside ordinary bookings, and beside bundles that wait."""

import logging
import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid4

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from bookings.models import Show, Ticket
from bookings.services import confirm_booking, record_vendor_tickets
from bookings.services.vendor import VendorTicket
from printing.models import PrintedTicket
from tests.factories import ShowFactory, UserFactory, made_bundle, pending_booking, staff_act
from tests.journeys.bundles import (
    Gateway,
    StillGateway,
    all_done,
    assert_booked,
    assert_printed,
    assert_taken_back,
    the,
)
from tests.processes import eventually, worker
from tickets_project.audit.acts import Act
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Status
from tickets_project.values import Money
from vip_bundles.facts import ENDED, State
from vip_bundles.models import VipBundle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

BUNDLES = int(os.environ.get("VIP_BUNDLE_CROWD", "40"))
BOOKINGS = BUNDLES * 5 // 2
EACH_FAILURE = BUNDLES // 20
"""How many fail at each of four steps, and how many wait."""

PATIENCE = 600
SHOWS = 5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Crowd:
    """What is asked for at once, by how it is to end."""

    booked: list[VipBundle] = field(default_factory=list)
    sold_out: list[VipBundle] = field(default_factory=list)
    without_flight: list[VipBundle] = field(default_factory=list)
    with_taxi: list[VipBundle] = field(default_factory=list)
    bookings: list[UUID] = field(default_factory=list)


@pytest.fixture
def still(simulator: Simulator, http: requests.Session) -> Gateway:
    return StillGateway(simulator, http)


@pytest.fixture
def ada(db: None) -> User:
    del db
    ada: User = UserFactory.create()
    return ada


def crowd_of(ada: User, gateway: Gateway) -> Crowd:
    """Ask for all of it; of those that want a taxi, some get none, whoever is last."""
    shows = [ShowFactory.create(number_of_tickets=10_000) for _ in range(SHOWS)]
    too_small: Show = ShowFactory.create(number_of_tickets=2)
    crowd = Crowd()
    for number in range(BUNDLES):
        show = shows[number % SHOWS]
        match number // EACH_FAILURE:
            case 0:
                crowd.sold_out.append(made_bundle(show=too_small, owner=ada))
            case 1 | 2 as leg:
                bundle = made_bundle(show=show, owner=ada)
                gateway.set_seats(str(bundle.inbound_flight_id if leg == 1 else bundle.return_flight_id), 2)
                crowd.without_flight.append(bundle)
            case part if part % 2:
                crowd.with_taxi.append(made_bundle(show=show, owner=ada, return_flight=number % 3 > 0))
            case _:
                crowd.booked.append(made_bundle(show=show, owner=ada, taxi=False, return_flight=number % 3 > 0))
    gateway.set_taxis(len(crowd.with_taxi) - EACH_FAILURE)
    staff = staff_act()
    for number in range(BOOKINGS):
        booking = pending_booking(show=shows[number % SHOWS], owner=ada, seats=1 + number % 2)
        confirm_booking(booking_id=booking.id, act=staff, payment_id=None)
        crowd.bookings.append(booking.id)
    return crowd


def bundles_that_wait(ada: User, gateway: Gateway) -> list[VipBundle]:
    """Ask for bundles that cannot fail before their vendor has confirmed them, which it does not."""
    show = ShowFactory.create(number_of_tickets=1000, dead_nation_id=uuid4())
    with transaction.atomic():
        waiting = [made_bundle(show=show, owner=ada) for _ in range(EACH_FAILURE)]
        for bundle in waiting:
            gateway.set_seats(str(bundle.inbound_flight_id), 2)
    return waiting


def failures_waiting() -> int:
    return Delivery.objects.filter(handler="vip_bundles.on_flight_failed", waiting_since__isnull=False).count()


def confirm_at_last(bundle: VipBundle) -> None:
    told = [
        VendorTicket(
            ticket_id=uuid4(),
            booking_id=bundle.booking_id,
            is_confirmed=True,
            customer_email=bundle.customer_email,
            price=Money(amount=Decimal(10), currency="EUR"),
        )
        for _ in range(bundle.number_of_tickets)
    ]
    record_vendor_tickets(told=told, act=Act(at=timezone.now(), automatic="vendor"))


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def assert_has_its_end(bundle: VipBundle, gateway: Gateway) -> str:
    """It has the end that its own state says."""
    if bundle.state == State.FAILED:
        assert_taken_back(bundle, gateway)
        assert len(gateway.flights_of(bundle)) == 3 * (2 if bundle.return_flight_id else 1)
    else:
        assert_booked(bundle, gateway)
    return str(bundle.state)


def assert_all_printed(crowd: Crowd, gateway: Gateway) -> None:
    """Each ticket of the ordinary bookings is printed once, and stands."""
    tickets = Ticket.objects.filter(booking_id__in=crowd.bookings)
    assert tickets.count() == sum(1 + number % 2 for number in range(BOOKINGS))
    assert set(tickets.values_list("status", flat=True)) == {"pending"}
    printed = {str(ticket_id) for ticket_id in tickets.values_list("id", flat=True)}
    assert PrintedTicket.objects.filter(ticket_id__in=printed).count() == len(printed)
    assert_printed(printed, gateway)
    assert sorted(row["ticket_id"] for row in gateway.receipts_of(printed)) == sorted(printed)
    assert not printed & set(gateway.refunds())


def assert_seats_are_held_by_those_who_stay() -> None:
    for show in Show.objects.all():
        held = Ticket.objects.filter(booking__show=show).exclude(status="cancelled").count()
        assert show.seats_held == held


class TestCrowd:
    def test_ends_rightly_and_waits_for_nobody(
        self, ada: User, gateway: Gateway, still: Gateway, tmp_path: Path
    ) -> None:
        before = deadlocks()
        with (tmp_path / "worker.log").open("w") as output, worker(output=output):
            waiting = bundles_that_wait(ada, gateway)
            eventually(lambda: failures_waiting() == len(waiting), seconds=PATIENCE)
            with transaction.atomic():
                crowd = crowd_of(ada, gateway)
            begun = monotonic()
            eventually(
                lambda: Delivery.objects.exclude(status=Status.DELIVERED).count() <= len(waiting), seconds=PATIENCE
            )
            seconds = monotonic() - begun
            # Everybody else is through.
            assert failures_waiting() == len(waiting)
            open_bundles = VipBundle.objects.exclude(state__in=ENDED)
            assert set(open_bundles.values_list("id", flat=True)) == {bundle.id for bundle in waiting}
            log.info("%d deliveries in %.1f s", Delivery.objects.filter(status=Status.DELIVERED).count(), seconds)
            for bundle in waiting:
                confirm_at_last(bundle)
            eventually(all_done, seconds=PATIENCE)
        for bundle in crowd.booked:
            assert_booked(the(bundle.id), still)
        for bundle in (*crowd.sold_out, *crowd.without_flight, *waiting):
            assert_taken_back(the(bundle.id), still)
        ends = Counter(assert_has_its_end(the(bundle.id), still) for bundle in crowd.with_taxi)
        assert ends == Counter(finalized=len(crowd.with_taxi) - EACH_FAILURE, failed=EACH_FAILURE)
        assert_all_printed(crowd, still)
        assert_seats_are_held_by_those_who_stay()
        assert deadlocks() == before
        assert "deadlock" not in (tmp_path / "worker.log").read_text()
