"""Around the process manager: lock the bundle, decide, store, publish."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from tickets_project.audit.acts import Act
from tickets_project.outbox.publishing import end_waits, publish
from vip_bundles.errors import BundleEnded
from vip_bundles.facts import ENDED, State
from vip_bundles.models import WAITING, BundleMove, BundleTicket, VipBundle
from vip_bundles.process import Decision, Heard, Move, Request, RetryStep, RollBack, decide
from vip_bundles.services.deadlines import deadline_from


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """What makes a bundle move, and since when it is so: a message, or a person's request, which has no id."""

    type: str
    since: datetime
    act: Act
    message_id: str | None = None


@transaction.atomic(savepoint=False)
def advance(message: Heard, *, bundle: Q, act: Act) -> None:
    """Let a bundle hear a message; one that is about no bundle is ignored, and a repeated one leaves no trace.

    :param bundle: which one, by its `id` or its `booking_id`
    :raises NotYet: if the message is to be heard later
    """
    found = VipBundle.objects.select_for_update().filter(bundle).first()
    if found is not None:
        header = message.header
        cause = _Cause(type=message.NAME, since=header.published_at, act=act, message_id=header.id)
        _follow(found, message, cause)


@transaction.atomic
def retry_step(*, vip_bundle_id: UUID, act: Act) -> VipBundle:
    """Ask again for what the bundle waits for, under the same key, and give it another deadline.

    :raises VipBundle.DoesNotExist: if there is no such bundle
    :raises BundleEnded: if it waits for nothing
    """
    bundle = _open_bundle(vip_bundle_id)
    bundle.deadline_at, bundle.stuck_at = deadline_from(act.at), None
    _follow(bundle, RetryStep(at=act.at), _Cause(type="retry", since=act.at, act=act))
    return bundle


@transaction.atomic
def roll_back(*, vip_bundle_id: UUID, act: Act) -> VipBundle:
    """End the bundle as if its present step had failed; the act's reason says why.

    :raises VipBundle.DoesNotExist: if there is no such bundle
    :raises BundleEnded: if it has ended
    """
    bundle = _open_bundle(vip_bundle_id)
    _follow(bundle, RollBack(reason=act.reason, at=act.at), _Cause(type="roll back", since=act.at, act=act))
    return bundle


def _open_bundle(vip_bundle_id: UUID) -> VipBundle:
    bundle = VipBundle.objects.select_for_update().get(id=vip_bundle_id)
    if bundle.has_ended:
        raise BundleEnded(current_status=bundle.state)
    return bundle


def _follow(bundle: VipBundle, heard: Heard | Request, cause: _Cause) -> None:
    """Decide what follows, store it, and publish what is sent."""
    known = bundle.facts()
    decision = decide(known, heard)
    if decision == Decision(bundle=known):
        return
    _store(bundle, decision, cause)
    _store_tickets(bundle, decision.bundle.ticket_ids - known.ticket_ids, cause)
    if decision.sends:
        publish(*decision.sends)


def _store(bundle: VipBundle, decision: Decision, cause: _Cause) -> None:
    """Store what is known, and each move by itself: the database takes declared moves alone."""
    bundle.learn(decision.bundle)
    act = cause.act.because(decision.bundle.failure_reason or cause.act.reason)
    for move in decision.moves:
        _log(bundle, move, cause)
        into = _STAYING if move.to == bundle.state else _INTO
        into[move.to](bundle, act=act)
        # On its way there it has not ended. All columns are saved: a retry has set the deadline too.
        bundle.finalized_at = decision.bundle.finalized_at if move.to in ENDED else None
        bundle.save()
    if not decision.moves:
        bundle.save()


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


def _log(bundle: VipBundle, move: Move, cause: _Cause) -> None:
    BundleMove.objects.create(
        bundle=bundle,
        at=cause.act.at,
        message_type=cause.type,
        message_id=cause.message_id,
        by=cause.act.by,
        reason=cause.act.reason,
        from_state=bundle.state,
        to_state=move.to,
        sent=[{"type": message.NAME, **message.payload()} for message in move.sends],
    )


def _store_tickets(bundle: VipBundle, ticket_ids: frozenset[str], cause: _Cause) -> None:
    """Store tickets that are confirmed now; a failure that waits for them is decided at once."""
    if not ticket_ids:
        return
    # A row is there already when its printing was told first.
    BundleTicket.objects.bulk_create(
        [BundleTicket(bundle=bundle, ticket_id=ticket_id, confirmed_at=cause.since) for ticket_id in ticket_ids],
        update_conflicts=True,
        unique_fields=["ticket_id"],
        update_fields=["confirmed_at"],
    )
    end_waits(str(bundle.id))
