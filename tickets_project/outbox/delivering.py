"""Delivering one claim: run its handler and record what came of it."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from structlog.contextvars import bound_contextvars

from tickets_project.correlation import Trace, tracing
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.messages import Header, Message, UndecodableMessage
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.retries import wait_after
from tickets_project.outbox.subscriptions import Subscription, subscriptions

_LONGEST_ERROR = 20_000

# How long one transaction gathers deliveries before it commits.
TOGETHER_SECONDS = 0.05

log = structlog.get_logger(__name__)


class LostClaim(Exception):
    """The lease ended and another worker has the delivery: what this one did is rolled back."""


def deliver(claim: Claim) -> timedelta | None:
    """Run the handler, and commit its effects with the delivered mark or record why not.

    :return: after how long the delivery falls due again, None when it does not
    """
    subscription = subscriptions().by_key(claim.handler)
    with _context_of(claim):
        started = monotonic()
        try:
            _run(claim, subscription)
        except LostClaim:
            log.warning("claim lost", attempts=claim.attempts)
        except NotYet as answer:
            return _wait(claim, answer)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is counted and shown
            return _fail(claim, subscription, error)
        else:
            log.info("delivered", attempts=claim.attempts, duration_ms=_since(started))
        return None


def deliver_together(claims: list[Claim]) -> list[Claim]:
    """Run a transactional handler for several claims in one transaction, since commits cost more than most handlers.

    :return: the claims that are left, to be delivered one by one: all when one of them failed, for then everything was
        rolled back; the later ones when the handler turned out to be slow
    """
    started, done = monotonic(), list[Claim]()
    try:
        with transaction.atomic():
            while len(done) < len(claims) and monotonic() - started < TOGETHER_SECONDS:
                _hand_over(claims[len(done)])
                done.append(claims[len(done)])
            _settle(*done)
    except Exception as error:  # noqa: BLE001 - each is run again by itself, and recorded then
        log.info("not together", deliveries=len(claims), error=repr(error))
        return claims
    log.info("delivered together", handler=claims[0].handler, deliveries=len(done), duration_ms=_since(started))
    return claims[len(done) :]


def _hand_over(claim: Claim) -> None:
    subscription = subscriptions().by_key(claim.handler)
    with _context_of(claim):
        subscription.handler(message_of(claim, subscription.message))


def _run(claim: Claim, subscription: Subscription[Any]) -> None:
    if claim.attempts > subscription.retry.most_attempts:
        raise GiveUp("The worker died each time it ran this handler.")
    message = message_of(claim, subscription.message)
    recording = subscription.handler(message) if subscription.external else None
    with transaction.atomic():
        # Marked first: the row's lock keeps others away, and a lost claim ends here before anything is done.
        _settle(claim)
        if recording:
            recording()
        elif not subscription.external:
            subscription.handler(message)


def _settle(*claims: Claim) -> None:
    if not claiming.settle(*claims):
        raise LostClaim


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


@contextmanager
def _context_of(claim: Claim) -> Iterator[None]:
    """Work and log as part of what the message follows from."""
    trace = Trace(
        correlation_id=claim.headers["correlation_id"],
        causation_id=str(claim.message_id),
        traceparent=claim.headers.get("traceparent"),
    )
    names = {"message_id": str(claim.message_id), "message": claim.type, "handler": claim.handler}
    with tracing(trace), bound_contextvars(**names):
        yield


def _since(started: float) -> float:
    return round(1000 * (monotonic() - started), 1)


def _wait(claim: Claim, answer: NotYet) -> timedelta | None:
    waited = claim.claimed_at - (claim.waiting_since or claim.claimed_at)
    if waited > timedelta(seconds=settings.OUTBOX_WAIT_SECONDS):
        log.error("parked", reason=f"waited {waited}: {answer}")
        claiming.retry(claim, delay=None, error=f"Waited in vain for {waited}: {answer}")
        return None
    delay = wait_after(waited)
    log.info("not yet", reason=str(answer))
    claiming.wait(claim, delay=delay, waits_for=answer.aggregate_id or claim.aggregate_id, reason=str(answer))
    return delay


def _fail(claim: Claim, subscription: Subscription[Any], error: Exception) -> timedelta | None:
    delay = None if isinstance(error, GiveUp) else subscription.retry.delay_after(claim.attempts)
    if delay is None:
        log.error("parked", attempts=claim.attempts, error=repr(error))
    else:
        log.warning("failed", attempts=claim.attempts, error=repr(error), retry_in_s=round(delay.total_seconds(), 1))
    text = "".join(traceback.format_exception(error)).replace("\x00", "\\x00")[-_LONGEST_ERROR:]
    claiming.retry(claim, delay=delay, error=text)
    return delay
