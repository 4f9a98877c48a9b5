"""Recording why a delivery was not made: it waits, is tried again, is parked, or is somebody else's by now."""

import traceback
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings

from tickets_project.metrics.counters import count_failed
from tickets_project.outbox import claiming
from tickets_project.outbox.claiming import Claim
from tickets_project.outbox.context import context_of
from tickets_project.outbox.outcomes import GiveUp, NotYet
from tickets_project.outbox.retries import wait_after
from tickets_project.outbox.subscriptions import subscriptions

_LONGEST_ERROR = 20_000

log = structlog.get_logger(__name__)


class LostClaim(Exception):
    """The lease ended and another worker has the delivery: what this one did is rolled back."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The delivery failed or waits, which is recorded; `delay` is None when it does not fall due again by itself."""

    delay: timedelta | None


def record_undelivered(claim: Claim, error: Exception) -> Undelivered:
    """Record why a delivery was not made."""
    with context_of(claim):
        match error:
            case LostClaim():
                log.warning("claim lost", attempts=claim.attempts)
                return Undelivered(None)
            case NotYet():
                return Undelivered(_wait(claim, error))
        return Undelivered(_fail(claim, error))


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
