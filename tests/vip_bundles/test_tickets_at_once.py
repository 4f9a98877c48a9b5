"""Two dispatchers tell bundles of the same tickets at the same time: neither waits for the other in a circle."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from threading import Barrier, BrokenBarrierError
from uuid import UUID

import pytest
from django.db import transaction

from bookings.events import TicketBookingConfirmedV1, TicketRefundedV1
from printing.events import TicketPrintedV1
from tests.bookings.threads import at_once
from tests.factories import made_bundle
from tests.working import claim_due
from tickets_project.outbox import delivering
from tickets_project.outbox.delivering import Batch, commit_together, prepare
from tickets_project.outbox.failing import Undelivered
from tickets_project.outbox.messages import Message
from tickets_project.outbox.publishing import publish
from tickets_project.outbox.subscriptions import Recording
from tickets_project.outbox.worker.grouping import by_handler
from tickets_project.values import Money
from vip_bundles.models import BundleTicket, VipBundle

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = UUID(int=1), UUID(int=2)
Told = tuple[UUID, VipBundle]


def confirmed(ticket_id: UUID, bundle: VipBundle) -> Message:
    return TicketBookingConfirmedV1(
        ticket_id=str(ticket_id),
        customer_email=bundle.customer_email,
        price=Money(amount=Decimal("50.30"), currency="EUR"),
        booking_id=str(bundle.booking_id),
    )


def printed(ticket_id: UUID, bundle: VipBundle) -> Message:
    return TicketPrintedV1(ticket_id=str(ticket_id), file_name="ticket.html", booking_id=str(bundle.booking_id))


def refunded(ticket_id: UUID, bundle: VipBundle) -> Message:
    return TicketRefundedV1(ticket_id=str(ticket_id), booking_id=str(bundle.booking_id))


KEYS: dict[Callable[[UUID, VipBundle], Message], str] = {
    printed: "vip_bundles.record_printed",
    refunded: "vip_bundles.record_refunded",
}


def batch_of(key: str, messages: Sequence[Message], met: Barrier) -> Batch:
    """Publish messages, and return what a dispatcher commits together, which lets the other one begin meanwhile."""
    with transaction.atomic():
        publish(*messages)
    effects = [(claim, prepare(claim)) for claim in claim_due(key)]
    ready = [(claim, effect) for claim, effect in effects if not isinstance(effect, Undelivered)]
    (group,) = by_handler(ready)
    return [(claim, partial(meeting, effect, met)) for claim, effect in group]


def meeting(effect: Recording, met: Barrier) -> None:
    effect()
    try:
        met.wait(0.3)
    except BrokenBarrierError:
        # The other one waits for a row of ours, as it should.
        return


def tickets() -> dict[str, list[Told]]:
    one, other = sorted([made_bundle(), made_bundle()], key=lambda bundle: str(bundle.booking_id))
    return {"of one bundle": [(SECOND, one), (FIRST, one)], "of two bundles": [(SECOND, one), (FIRST, other)]}


@pytest.mark.parametrize("told", [printed, refunded])
@pytest.mark.parametrize("which", ["of one bundle", "of two bundles"])
class TestTicketsAtOnce:
    def test_are_all_told_without_a_circle(
        self, told: Callable[[UUID, VipBundle], Message], which: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivering, "TOGETHER_SECONDS", 30)
        pairs, met = tickets()[which], Barrier(2)
        batches = [
            batch_of("vip_bundles.on_ticket_confirmed", [confirmed(*pair) for pair in pairs], met),
            batch_of(KEYS[told], [told(*pair) for pair in reversed(pairs)], met),
        ]
        assert at_once([partial(commit_together, batch) for batch in batches]) == [[], []]
        rows = BundleTicket.objects.exclude(confirmed_at=None)
        assert rows.exclude(printed_at=None, refunded_at=None).count() == len(pairs)
