"""The end of a bundle: its customer is told."""

from uuid import UUID

from django.utils import timezone

from tickets_project.audit.acts import Act
from vip_bundles import notices
from vip_bundles.events import VipBundleFinalizedV1
from vip_bundles.models import VipBundle


def tell_customer(message: VipBundleFinalizedV1) -> None:
    """Send the customer a mail about how it ended."""
    bundle = VipBundle.objects.select_related("owner").get(id=UUID(message.vip_bundle_id))
    notices.bundle_finalized(bundle, Act(at=timezone.now(), automatic="vip bundles"), success=message.success)
