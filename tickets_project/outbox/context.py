"""What the work on a claim follows from: the trace that it goes on with, its span, and what its log lines carry."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tickets_project.correlation import Trace, ids_of, tracing
from tickets_project.outbox.claiming import Claim
from tickets_project.spans import Kind, are_recorded, span


def context_of(claim: Claim) -> AbstractContextManager[Trace]:
    """Work and log as part of what the message follows from."""
    return tracing(_trace_of(claim), **_own_names_of(claim))


def _trace_of(claim: Claim) -> Trace:
    return Trace(
        correlation_id=claim.headers["correlation_id"],
        causation_id=str(claim.message_id),
        traceparent=claim.headers.get("traceparent"),
    )


def span_of(claim: Claim, work: str) -> AbstractContextManager[object]:
    """Do this part of the work as one span of the trace."""
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
