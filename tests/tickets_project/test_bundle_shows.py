"""What a bundle is told of a show."""

from datetime import timedelta
from uuid import uuid4

import pytest

from bookings.errors import ShowHasStarted, ShowMakesNoTickets
from bookings.models import Show
from tests.factories import NOON, ShowFactory, TicketTypeFactory
from tickets_project.bundle_shows import find_show
from tickets_project.refusals import NotFound
from vip_bundles.services.making import BundleShow

pytestmark = pytest.mark.django_db


def show_without_tickets(**facts: object) -> Show:
    show: Show = ShowFactory.create(ticket_type=TicketTypeFactory.create(name="stands", makes_tickets=False), **facts)
    return show


class TestFindShow:
    def test_tells_its_title(self) -> None:
        show = ShowFactory.create(title="Nabucco", start_time=NOON)
        found = find_show(show.id, at=NOON - timedelta(microseconds=1))
        assert found == BundleShow(show_id=show.id, title="Nabucco")

    def test_knows_no_other(self) -> None:
        ShowFactory.create(start_time=NOON)
        with pytest.raises(NotFound, match="no such show"):
            find_show(uuid4(), at=NOON - timedelta(days=1))

    def test_refuses_one_that_has_started(self) -> None:
        show = ShowFactory.create(start_time=NOON)
        with pytest.raises(ShowHasStarted):
            find_show(show.id, at=NOON)

    def test_refuses_one_that_makes_no_tickets(self) -> None:
        show = show_without_tickets(start_time=NOON)
        with pytest.raises(ShowMakesNoTickets):
            find_show(show.id, at=NOON - timedelta(days=1))

    def test_takes_one_whose_tickets_the_vendor_makes(self) -> None:
        show = show_without_tickets(start_time=NOON, dead_nation_id=uuid4())
        assert find_show(show.id, at=NOON - timedelta(days=1)).show_id == show.id

    def test_takes_one_that_is_sold_out(self) -> None:
        """Whether seats are left is seen when they are booked."""
        show = ShowFactory.create(start_time=NOON, number_of_tickets=1, seats_held=1)
        assert find_show(show.id, at=NOON - timedelta(days=1)).show_id == show.id
