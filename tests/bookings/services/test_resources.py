"""Resources: put up, and changed while they are booked."""

from datetime import time
from decimal import Decimal
from uuid import uuid4

import pytest

from bookings.models import Booking, OpeningHours, Resource
from bookings.services.resources import change_resource
from tests.bookings.rooms import SATURDAY, SUNDAY, book, room
from tests.factories import staff_act
from tickets_project.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def hours_of(resource: Resource) -> list[tuple[int, time, time]]:
    return list(resource.opening_hours.values_list("weekday", "opens", "closes"))


class TestChangeResource:
    def test_changes_the_fields_that_are_given_and_no_others(self) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))], name="Blue room", location="Cellar")
        change_resource(resource_id=resource.id, act=staff_act(), name="Red room")
        changed = Resource.objects.get()
        assert (changed.name, changed.location, changed.price_amount) == ("Red room", "Cellar", Decimal("10.00"))
        assert hours_of(changed) == [(SATURDAY, time(9), time(18))]

    def test_puts_other_opening_hours_in_the_place_of_its_own(self) -> None:
        resource, other = room(hours=[(SATURDAY, time(9), time(18))]), room(hours=[(SATURDAY, time(9), time(18))])
        change_resource(resource_id=resource.id, act=staff_act(), opening_hours=[(SUNDAY, time(10), time())])
        assert hours_of(resource) == [(SUNDAY, time(10), time())]
        assert hours_of(other) == [(SATURDAY, time(9), time(18))]

    def test_closes_it_when_no_hours_are_left(self) -> None:
        resource = room()
        change_resource(resource_id=resource.id, act=staff_act(), opening_hours=[])
        assert not OpeningHours.objects.exists()

    def test_leaves_its_bookings_as_they_are(self) -> None:
        booking = book(resource := room(), 1, 2)
        change_resource(resource_id=resource.id, act=staff_act(), opening_hours=[], price_amount=Decimal("99.00"))
        stored = Booking.objects.get()
        assert (stored.status, stored.price_amount) == ("pending", booking.price_amount)

    def test_tells_the_audit_trail_what_was_and_what_is(self) -> None:
        resource = room(hours=[(SATURDAY, time(9), time(18))], name="Blue room")
        act = staff_act()
        change_resource(resource_id=resource.id, act=act, opening_hours=[(SUNDAY, time(10), time())], name="Red room")
        entry = AuditEntry.objects.get(action="resource_changed")
        assert (entry.actor, entry.subject_id) == (act.actor, str(resource.id))
        assert entry.details == {
            "before": {"name": "Blue room"},
            "after": {"name": "Red room"},
            "hours_before": ["saturday 09:00-18:00"],
            "hours_after": ["sunday 10:00-00:00"],
        }

    def test_changes_what_exists(self) -> None:
        with pytest.raises(Resource.DoesNotExist):
            change_resource(resource_id=uuid4(), act=staff_act(), name="Red room")
