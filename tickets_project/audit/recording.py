"""Writing the audit trail: of each transition by itself, of other actions by record()."""

from typing import Any

from django.db import connection
from django.db.models import Model
from django_fsm.signals import post_transition

from tickets_project.audit.acts import Act
from tickets_project.audit.models import AuditEntry
from tickets_project.correlation import current_trace
from tickets_project.outbox.publishing import NotInTransaction


def record(action: str, subject: tuple[str, str], act: Act, *, old: str = "", new: str = "") -> AuditEntry:
    """Store what was done, in the caller's transaction.

    :param subject: the type and the id of what it was done to, such as `("booking", "…")`
    :raises NotInTransaction: if no transaction is open, where the row would stay without the change
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("Open transaction.atomic() around the business change and its audit row.")
    subject_type, subject_id = subject
    return AuditEntry.objects.create(
        at=act.at,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        actor=act.actor,
        by=act.by,
        old=old,
        new=new,
        reason=act.reason,
        details=act.details,
        correlation_id=current_trace().correlation_id,
    )


def record_transition(
    *, instance: Model, name: str, source: str, target: str, method_kwargs: dict[str, Any], **_signal: Any
) -> None:
    """Store a change of state (django-fsm's post_transition); its `custom` names the action.

    :raises TypeError: if the transition was called without its act: no change goes unrecorded
    """
    act = method_kwargs.get("act")
    if not isinstance(act, Act):
        raise TypeError(f"Call {name}() with its act, so that the audit trail can tell who did it.")
    action = getattr(type(instance), name)._django_fsm.get_transition(source).custom["action"]  # noqa: SLF001 - no other way
    record(action, subject_of(instance), act, old=source, new=target)


def subject_of(instance: Model) -> tuple[str, str]:
    """Return how the audit trail calls a row."""
    return str(instance._meta.model_name), str(instance.pk)  # noqa: SLF001 - Django's documented API


def listen() -> None:
    """Hear of every transition of every model."""
    post_transition.connect(record_transition, dispatch_uid="audit")
