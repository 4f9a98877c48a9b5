"""What becomes of a bundle's tickets, in whatever order and however often it is told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.bookings.threads import at_once
from tests.factories import NOON, confirmed_booking, made_bundle, only_ticket
from tests.vip_bundles.stored import all_rows, confirmed, hear, leaving_nothing
from vip_bundles.models import BundleTicket, VipBundle
from vip_bundles.services import record_printed, record_refunded

TICKET = UUID(int=1)
PRINTED, REFUNDED = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)


def confirm(bundle: VipBundle) -> None:
    hear(confirmed(bundle, str(TICKET)))


def print_it(bundle: VipBundle, *, at: datetime = PRINTED, file_name: str = "a.html") -> None:
    record_printed(ticket_id=TICKET, booking_id=bundle.booking_id, file_name=file_name, at=at)


def refund(bundle: VipBundle, *, at: datetime = REFUNDED) -> None:
    record_refunded(ticket_id=TICKET, booking_id=bundle.booking_id, at=at)


def told(bundle: VipBundle) -> dict[str, Any]:
    """Return what is known of the bundle's one ticket."""
    row = BundleTicket.objects.get(bundle=bundle)
    assert row.ticket_id == TICKET
    return {
        "confirmed": row.confirmed_at is not None,
        "printed_at": row.printed_at,
        "file_name": row.file_name,
        "refunded_at": row.refunded_at,
    }


@pytest.mark.django_db
class TestRecordPrinted:
    def test_notes_when_and_as_what(self) -> None:
        bundle = made_bundle()
        confirm(bundle)
        print_it(bundle)
        assert told(bundle) == {
            "confirmed": True,
            "printed_at": PRINTED,
            "file_name": "a.html",
            "refunded_at": None,
        }

    def test_keeps_the_first_note(self) -> None:
        bundle = made_bundle()
        print_it(bundle)
        before = all_rows()
        print_it(bundle, at=REFUNDED, file_name="b.html")
        assert all_rows() == before

    def test_confirms_nothing(self) -> None:
        bundle = made_bundle()
        print_it(bundle)
        assert bundle.facts().ticket_ids == frozenset()

    def test_ignores_a_ticket_that_belongs_to_no_bundle(self) -> None:
        made_bundle()
        ticket = only_ticket(confirmed_booking(seats=1))
        assert ticket.booking_id
        with leaving_nothing():
            record_printed(ticket_id=ticket.id, booking_id=ticket.booking_id, file_name="a.html", at=NOON)

    def test_leaves_another_bundle_s_tickets(self) -> None:
        bundle, other = made_bundle(), made_bundle()
        print_it(bundle)
        record_printed(ticket_id=uuid4(), booking_id=other.booking_id, file_name="b.html", at=NOON)
        assert told(bundle)["file_name"] == "a.html"
        assert other.tickets.get().file_name == "b.html"


@pytest.mark.django_db
class TestRecordRefunded:
    def test_notes_when(self) -> None:
        bundle = made_bundle()
        confirm(bundle)
        refund(bundle)
        assert told(bundle) == {"confirmed": True, "printed_at": None, "file_name": "", "refunded_at": REFUNDED}

    def test_keeps_the_first_note(self) -> None:
        bundle = made_bundle()
        refund(bundle)
        before = all_rows()
        refund(bundle, at=PRINTED)
        assert all_rows() == before

    def test_ignores_a_ticket_that_belongs_to_no_bundle(self) -> None:
        made_bundle()
        with leaving_nothing():
            record_refunded(ticket_id=TICKET, booking_id=uuid4(), at=NOON)

    def test_leaves_the_ticket_a_fact(self) -> None:
        """What is refunded was confirmed: only so is it not asked for again."""
        bundle = made_bundle()
        confirm(bundle)
        refund(bundle)
        assert bundle.facts().ticket_ids == {str(TICKET)}


@pytest.mark.django_db
class TestAnyOrder:
    @pytest.mark.parametrize("times", [1, 2])
    @pytest.mark.parametrize("order", list(permutations([confirm, print_it, refund])))
    def test_comes_to_the_same(self, order: tuple[Callable[[VipBundle], None], ...], times: int) -> None:
        bundle = made_bundle()
        for tell in order * times:
            tell(bundle)
        assert told(bundle) == {
            "confirmed": True,
            "printed_at": PRINTED,
            "file_name": "a.html",
            "refunded_at": REFUNDED,
        }


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_makes_one_row(self) -> None:
        bundle = made_bundle()
        assert at_once([partial(tell, bundle) for tell in (print_it, refund) for _ in range(4)]) == [None] * 8
        assert told(bundle) == {
            "confirmed": False,
            "printed_at": PRINTED,
            "file_name": "a.html",
            "refunded_at": REFUNDED,
        }
