"""What the clock does to bundles: the function that django-q2 runs every minute."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from tickets_project.audit.acts import Act
from tickets_project.sweeping import count_done
from vip_bundles import services
from vip_bundles.facts import ENDED
from vip_bundles.models import VipBundle


def flag_stuck_bundles_now() -> None:
    """Flag bundles at this moment."""
    flag_stuck_bundles(at=timezone.now())


def flag_stuck_bundles(*, at: datetime) -> int:
    """Flag the bundles that have not ended by their deadline; return how many."""
    act = Act(at=at, automatic="schedule")
    due = VipBundle.objects.filter(~Q(state__in=ENDED), stuck_at=None, deadline_at__lte=at)
    return count_done(
        lambda bundle_id: services.flag_stuck(vip_bundle_id=bundle_id, act=act), due, oldest_by="deadline_at"
    )
