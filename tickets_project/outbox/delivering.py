"""Delivering claims: run their handlers, commit the effects with the delivered marks, or record why not."""

import traceback
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic, perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from tickets_project.correlation import Trace, ids_of, tracing
from tickets_project.metrics.counters import count_delivered, count_failed
from tickets_project.metrics.timing import Timed, seconds_of
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.messages import Header, Message, UndecodableMessage
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.retries import wait_after
from tickets_project.outbox.subscriptions import Recording, Subscription, subscriptions
from tickets_project.spans import Kind, are_recorded, span

_LONGEST_ERROR = 20_000

# How long one transaction gathers deliveries before it commits.
TOGETHER_SECONDS = 0.05

log = structlog.get_logger(__name__)


class LostClaim(Exception):
    """The lease ended and another worker has the delivery: what this one did is rolled back."""


Batch = list[tuple[Claim, Recording]]
"""Deliveries that are ready to commit: each with the database work that commits with its delivered mark."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The delivery failed or waits, which is recorded; `delay` is None when it does not fall due again by itself."""

    delay: timedelta | None


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
        return _undelivered(claim, error)


def commit(claim: Claim, effect: Recording) -> Undelivered | None:
    """Commit the effect with the delivered mark; None when that is done."""
    started = monotonic()
    try:
        with transaction.atomic():
            # Marked first: the row's lock keeps others away, and a lost claim ends here before anything is done.
            _settle(claim)
            with _context_of(claim):
                effect()
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is counted and shown
        return _undelivered(claim, error)
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
                with _context_of(claim):
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
    with _span_of(claim, "process"):
        if subscription.handler(message) is not None:
            raise TypeError(f"{subscription.key} returned something to record, as only an external handler may.")


def _call(claim: Claim, subscription: Subscription[Any], message: Message) -> Timed:
    started = perf_counter()
    with _context_of(claim), _span_of(claim, "process"):
        recording = subscription.handler(message) or _nothing
    return Timed(partial(_record, claim, recording), since=started)


def _record(claim: Claim, recording: Recording) -> None:
    with _span_of(claim, "record"):
        recording()


def _nothing() -> None:
    """Be the effect of an external handler that has nothing to record."""


def _count(committed: Batch) -> None:
    for claim, effect in committed:
        count_delivered(claim.type, claim.handler, seconds=seconds_of(effect))


def _settle(*claims: Claim) -> None:
    if not claiming.settle(*claims):
        raise LostClaim


def _undelivered(claim: Claim, error: Exception) -> Undelivered:
    """Record why a delivery was not made."""
    with _context_of(claim):
        match error:
            case LostClaim():
                log.warning("claim lost", attempts=claim.attempts)
                return Undelivered(None)
            case NotYet():
                return Undelivered(_wait(claim, error))
        return Undelivered(_fail(claim, error))


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


def _context_of(claim: Claim) -> AbstractContextManager[Trace]:
    """Work and log as part of what the message follows from."""
    return tracing(_trace_of(claim), **_own_names_of(claim))


def _trace_of(claim: Claim) -> Trace:
    return Trace(
        correlation_id=claim.headers["correlation_id"],
        causation_id=str(claim.message_id),
        traceparent=claim.headers.get("traceparent"),
    )


def _span_of(claim: Claim, work: str) -> AbstractContextManager[object]:
    if not are_recorded():
        # Its attributes cost as much as many an effect.
        return nullcontext()
    attributes: dict[str, str | int] = {
        "messaging.destination.name": claim.type,
        "messaging.message.id": str(claim.message_id),
        "messaging.message.conversation_id": claim.headers["correlation_id"],
        "messaging.delivery.attempt": claim.attempts,
    }
    return span(f"{work} {claim.handler}", Kind.CONSUMER, attributes)


def names_of(*claims: Claim) -> dict[str, Any]:
    """Return what log lines about these claims of one handler carry, outside of their context."""
    if len(claims) == 1:
        return _own_names_of(claims[0]) | ids_of(_trace_of(claims[0]))
    return {
        "message_type": claims[0].type,
        "handler": claims[0].handler,
        "message_ids": [str(claim.message_id) for claim in claims],
        "correlation_ids": [claim.headers["correlation_id"] for claim in claims],
        "deliveries": len(claims),
    }


def _own_names_of(claim: Claim) -> dict[str, str]:
    return {"message_type": claim.type, "handler": claim.handler, "message_id": str(claim.message_id)}


def _since(started: float) -> float:
    return round(1000 * (monotonic() - started), 1)


def _wait(claim: Claim, answer: NotYet) -> timedelta | None:
    waited = claim.claimed_at - (claim.waiting_since or claim.claimed_at)
    if waited > timedelta(seconds=settings.OUTBOX_WAIT_SECONDS):
        log.error("parked", reason=f"waited {waited}: {answer}")
        _record_failure(claim, delay=None, error=f"Waited in vain for {waited}: {answer}")
        return None
    delay = wait_after(waited)
    log.info("not yet", reason=str(answer))
    waits_for = answer.aggregate_id or claim.aggregate_id
    claiming.wait(claim, delay=delay, waits_for=waits_for, reason=_storable(str(answer)))
    return delay


def _fail(claim: Claim, error: Exception) -> timedelta | None:
    policy = subscriptions().by_key(claim.handler).retry
    delay = None if isinstance(error, GiveUp) else policy.delay_after(claim.attempts)
    if delay is None:
        log.error("parked", attempts=claim.attempts, error=repr(error))
    else:
        log.warning("failed", attempts=claim.attempts, error=repr(error), retry_in_s=round(delay.total_seconds(), 1))
    _record_failure(claim, delay=delay, error="".join(traceback.format_exception(error)))
    return delay


def _record_failure(claim: Claim, *, delay: timedelta | None, error: str) -> None:
    if claiming.retry(claim, delay=delay, error=_storable(error)):
        count_failed(claim.type, claim.handler)


def _storable(text: str) -> str:
    """Return the end of the text without what PostgreSQL cannot store: NUL and lone surrogates."""
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")[-_LONGEST_ERROR:]
