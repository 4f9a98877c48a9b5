"""Delivering claims: run their handlers, and commit the effects with the delivered marks."""

from functools import partial
from time import monotonic, perf_counter
from typing import Any

import structlog
from django.db import transaction

from tickets_project.metrics.counters import count_delivered
from tickets_project.metrics.timing import Timed, seconds_of
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.context import context_of, names_of, span_of
from tickets_project.outbox.failing import LostClaim, Undelivered, record_undelivered
from tickets_project.outbox.messages import Header, Message, UndecodableMessage
from tickets_project.outbox.outcomes import GiveUp
from tickets_project.outbox.subscriptions import Recording, Subscription, subscriptions

# How long one transaction gathers deliveries before it commits.
TOGETHER_SECONDS = 0.05

log = structlog.get_logger(__name__)


Batch = list[tuple[Claim, Recording]]
"""Deliveries that are ready to commit: each with the database work that commits with its delivered mark."""


def deliver(claim: Claim) -> Undelivered | None:
    """Prepare and commit one delivery; None when it is delivered."""
    outcome = prepare(claim)
    return outcome if isinstance(outcome, Undelivered) else commit(claim, outcome)


def prepare(claim: Claim) -> Recording | Undelivered:
    """Call an external handler, which returns its effect; the effect of a transactional handler is its call."""
    subscription = subscriptions().by_key(claim.handler)
    try:
        message = _message_in(claim, subscription)
        return (_call if subscription.external else _ready)(claim, subscription, message)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is counted and shown
        return record_undelivered(claim, error)


def commit(claim: Claim, effect: Recording) -> Undelivered | None:
    """Commit the effect with the delivered mark; None when that is done."""
    started = monotonic()
    try:
        with transaction.atomic():
            # Marked first: the row's lock keeps others away, and a lost claim ends here before anything is done.
            _settle(claim)
            with context_of(claim):
                effect()
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is counted and shown
        return record_undelivered(claim, error)
    log.info("delivered", **names_of(claim), attempts=claim.attempts, duration_ms=_since(started))
    _count([(claim, effect)])
    return None


def commit_together(batch: Batch) -> Batch:
    """Commit several deliveries of one handler in one transaction, since commits cost more than most effects.

    :return: what is left, to be committed one by one: all when one of them failed, for then everything was rolled
        back; the later ones when the effects turned out to be slow
    """
    started, done = monotonic(), list[Claim]()
    try:
        with transaction.atomic():
            while len(done) < len(batch) and monotonic() - started < TOGETHER_SECONDS:
                claim, effect = batch[len(done)]
                with context_of(claim):
                    effect()
                done.append(claim)
            _settle(*done)
    except Exception as error:  # noqa: BLE001 - each is run again by itself, and recorded then
        log.info("not together", **names_of(*(claim for claim, _ in batch)), error=repr(error))
        return batch
    log.info("delivered together", **names_of(*done), duration_ms=_since(started))
    _count(batch[: len(done)])
    return batch[len(done) :]


def _ready(claim: Claim, subscription: Subscription[Any], message: Message) -> Timed:
    return Timed(partial(_run, claim, subscription, message))


def _run(claim: Claim, subscription: Subscription[Any], message: Message) -> None:
    with span_of(claim, "process"):
        if subscription.handler(message) is not None:
            raise TypeError(f"{subscription.key} returned something to record, as only an external handler may.")


def _call(claim: Claim, subscription: Subscription[Any], message: Message) -> Timed:
    started = perf_counter()
    with context_of(claim), span_of(claim, "process"):
        recording = subscription.handler(message) or _nothing
    return Timed(partial(_record, claim, recording), since=started)


def _record(claim: Claim, recording: Recording) -> None:
    with span_of(claim, "record"):
        recording()


def _nothing() -> None:
    """Be the effect of an external handler that has nothing to record."""


def _count(committed: Batch) -> None:
    for claim, effect in committed:
        count_delivered(claim.type, claim.handler, seconds=seconds_of(effect))


def _settle(*claims: Claim) -> None:
    if not claiming.settle(*claims):
        raise LostClaim


def _message_in(claim: Claim, subscription: Subscription[Any]) -> Message:
    if claim.attempts > subscription.retry.most_attempts:
        raise GiveUp("The worker died each time it ran this handler.")
    return message_of(claim, subscription.message)


def message_of(claim: Claim, message_type: type[Message]) -> Message:
    """Rebuild the message from its stored row.

    :raises GiveUp: if it does not fit its class
    """
    header = Header(
        id=str(claim.message_id),
        published_at=claim.published_at,
        idempotency_key=claim.headers["idempotency_key"],
        correlation_id=claim.headers["correlation_id"],
    )
    try:
        return message_type.from_payload(claim.payload, header)
    except UndecodableMessage as error:
        raise GiveUp(str(error)) from error


def _since(started: float) -> float:
    return round(1000 * (monotonic() - started), 1)
