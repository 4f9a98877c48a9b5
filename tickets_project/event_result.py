"""The answer to a request that is made by signal, inside a transaction."""

from dataclasses import dataclass, field
from typing import Any

from django.dispatch import Signal

from tickets_project.refusals import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What a request handler did, or why it refused."""

    success: bool
    data: dict[str, Any] = field(default_factory=dict)
    error: DomainError | None = None

    @property
    def error_type(self) -> str | None:
        """Return the refusal's stable code."""
        return self.error.code if self.error else None

    @classmethod
    def done(cls, **data: Any) -> "EventResult":
        """Return the answer of a request that was carried out."""
        return cls(success=True, data=data)

    @classmethod
    def refused(cls, error: DomainError) -> "EventResult":
        """Return the answer of a request that the present state forbids."""
        return cls(success=False, error=error)


def ask(signal: Signal, **request: Any) -> EventResult:
    """Send the request to its one handler and return the answer.

    :raises LookupError: if not exactly one handler is registered
    """
    answers: list[tuple[Any, Any]] = signal.send(sender=None, **request)
    if len(answers) != 1:
        raise LookupError(f"A request needs exactly one handler; {len(answers)} are registered.")
    result: EventResult = answers[0][1]
    return result
