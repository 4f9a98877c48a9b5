"""Around the process manager: lock the bundle, decide, store, publish."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import publish
from vip_bundles.errors import BundleEnded
from vip_bundles.facts import State
from vip_bundles.models import WAITING, BundleMove, BundleTicket, VipBundle
from vip_bundles.process import Decision, Heard, Move, RetryStep, RollBack, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """What makes a bundle move: a message, or a person's request, which has no id."""

    type: str
    act: Act
    message_id: str | None = None


@transaction.atomic(savepoint=False)
def advance(message: Heard, *, act: Act, **which: Any) -> None:
    """Let a bundle hear a message; one that is about no bundle is ignored.

    :param which: the bundle's `id`, or its `booking_id`
    :raises NotYet: if the message is to be heard later
    """
    bundle = VipBundle.objects.select_for_update().filter(**which).first()
    if bundle is None:
        return
    decision = decide(bundle.facts(), message)
    cause = _Cause(type=message.NAME, act=act, message_id=message.header.id or None)
    _store(bundle, decision, cause)


@transaction.atomic
def retry_step(*, vip_bundle_id: UUID, act: Act) -> VipBundle:
    """Ask again for what the bundle waits for, under the same key, and give it another deadline.

    :raises VipBundle.DoesNotExist: if there is no such bundle
    :raises BundleEnded: if it waits for nothing
    """
    bundle = _open_bundle(vip_bundle_id)
    bundle.deadline_at, bundle.stuck_at = act.at + timedelta(minutes=settings.VIP_BUNDLE_DEADLINE_MINUTES), None
    decision = decide(bundle.facts(), RetryStep(at=act.at))
    _store(bundle, decision, _Cause(type="retry", act=act))
    return bundle


@transaction.atomic
def roll_back(*, vip_bundle_id: UUID, act: Act) -> VipBundle:
    """End the bundle as if its present step had failed; the act's reason says why.

    :raises VipBundle.DoesNotExist: if there is no such bundle
    :raises BundleEnded: if it has ended
    """
    bundle = _open_bundle(vip_bundle_id)
    decision = decide(bundle.facts(), RollBack(reason=act.reason, at=act.at))
    _store(bundle, decision, _Cause(type="roll back", act=act))
    return bundle


def _open_bundle(vip_bundle_id: UUID) -> VipBundle:
    bundle = VipBundle.objects.select_for_update().get(id=vip_bundle_id)
    if bundle.has_ended:
        raise BundleEnded(current_status=bundle.state)
    return bundle


def _store(bundle: VipBundle, decision: Decision, cause: _Cause) -> None:
    """Store what is known, then each move with its log row, and publish what is sent."""
    bundle.learn(decision.bundle)
    _store_tickets(bundle, decision.bundle.ticket_ids, cause.act)
    act = cause.act.because(decision.bundle.failure_reason or cause.act.reason)
    for move in decision.moves:
        _log(bundle, move, cause)
        into = _STAYING if move.to == bundle.state else _INTO
        into[move.to](bundle, act=act)
        # After each: the database takes declared moves alone.
        bundle.save()
    if not decision.moves:
        bundle.save()
    if decision.sends:
        publish(*decision.sends)


_INTO = {
    State.BOOKING_SHOW: VipBundle.book_show,
    State.BOOKING_INBOUND_FLIGHT: VipBundle.book_inbound_flight,
    State.BOOKING_RETURN_FLIGHT: VipBundle.book_return_flight,
    State.BOOKING_TAXI: VipBundle.book_taxi,
    State.FINALIZED: VipBundle.finalize,
    State.ROLLING_BACK: VipBundle.roll_back,
    State.FAILED: VipBundle.fail,
}
_STAYING = {
    **dict.fromkeys(WAITING, VipBundle.ask_again),
    State.ROLLING_BACK: VipBundle.take_back_late,
    State.FAILED: VipBundle.take_back_late,
}


def _store_tickets(bundle: VipBundle, ticket_ids: frozenset[str], act: Act) -> None:
    known = set(bundle.tickets.exclude(confirmed_at=None).values_list("ticket_id", flat=True))
    unknown = sorted({UUID(ticket_id) for ticket_id in ticket_ids} - known)
    rows = [BundleTicket(bundle=bundle, ticket_id=ticket_id, confirmed_at=act.at) for ticket_id in unknown]
    if rows:
        # A row is there already when its printing was told first.
        BundleTicket.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["ticket_id"], update_fields=["confirmed_at"]
        )


def _log(bundle: VipBundle, move: Move, cause: _Cause) -> None:
    BundleMove.objects.create(
        bundle=bundle,
        at=cause.act.at,
        message_type=cause.type,
        message_id=cause.message_id,
        by=cause.act.by,
        from_state=bundle.state,
        to_state=move.to,
        sent=[{"type": message.NAME, **message.payload()} for message in move.sends],
    )
