"""Deadlines: a bundle that has not ended by then is stuck, and a person looks at it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from tickets_project.audit.acts import Act
from tickets_project.audit.recording import record, subject_of
from vip_bundles import notices
from vip_bundles.models import VipBundle


def deadline_from(at: datetime) -> datetime:
    """Return by when a bundle that begins, or goes on, at this time should have ended."""
    return at + timedelta(minutes=settings.VIP_BUNDLE_DEADLINE_MINUTES)


@transaction.atomic
def flag_stuck(*, vip_bundle_id: UUID, act: Act) -> bool:
    """Flag a bundle whose deadline is over, and tell operations; False when it has ended, or is flagged already.

    :raises VipBundle.DoesNotExist: if there is no such bundle
    """
    bundle = VipBundle.objects.select_for_update().get(id=vip_bundle_id)
    if bundle.has_ended or bundle.stuck_at or bundle.deadline_at > act.at:
        return False
    bundle.stuck_at = act.at
    bundle.save(update_fields=["stuck_at"])
    record("bundle_stuck", subject_of(bundle), act, new=bundle.state)
    notices.bundle_stuck(bundle, act)
    return True
