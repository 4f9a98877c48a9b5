"""Acts: who does something, when and why, as it travels through services and transitions into the audit trail."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One business action of a person, or of the system when there is no `actor`.

    :param as_staff: whether the actor acts for the house, not as the owner
    :param automatic: who acts when no account does, such as `schedule` or `vendor`
    :param details: what else the audit trail keeps, as JSON
    """

    at: datetime
    actor: User | None = None
    as_staff: bool = False
    automatic: str = "system"
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """Return the name of who acts."""
        return self.actor.get_username() if self.actor else self.automatic

    @property
    def admin_id(self) -> int | None:
        """Return the id of the member of staff, None when it is nobody of them."""
        return self.actor.pk if self.actor and self.as_staff else None

    def because(self, reason: str) -> Self:
        """Return the act with its reason."""
        return replace(self, reason=reason)

    def noting(self, **details: Any) -> Self:
        """Return the act with more details."""
        return replace(self, details={**self.details, **details})


def act_of(user: User, *, permission: str, at: datetime, reason: str = "") -> Act:
    """Return what a user does: as staff with the permission that it takes, else as any owner."""
    return Act(at=at, actor=user, as_staff=user.is_staff and user.has_perm(permission), reason=reason)
