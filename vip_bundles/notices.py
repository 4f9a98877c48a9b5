"""What customers and operations are told of bundles."""

from django.conf import settings
from django.urls import reverse

from tickets_project.audit.acts import Act
from tickets_project.audit.recording import subject_of
from tickets_project.notifications.services import notify
from vip_bundles.models import VipBundle
from vip_bundles.queries import what_they_wait_for


def bundle_finalized(bundle: VipBundle, act: Act, *, success: bool) -> None:
    """Tell the customer how the bundle ended."""
    notify(
        template="vip_bundle_finalized",
        recipient_id=bundle.owner_id,
        email=bundle.customer_email,
        context={
            "vip_bundle_id": str(bundle.id),
            "success": success,
            "failure_reason": bundle.failure_reason or None,
            "title": bundle.show_title,
        },
        about=subject_of(bundle),
        at=act.at,
    )


def bundle_stuck(bundle: VipBundle, act: Act) -> None:
    """Tell operations that a bundle has not ended in time, if the installation says where to."""
    if not settings.OPS_EMAIL:
        return
    notify(
        template="vip_bundle_stuck",
        recipient_id=None,
        email=settings.OPS_EMAIL,
        context={
            "vip_bundle_id": str(bundle.id),
            "title": bundle.show_title,
            "state": bundle.get_state_display(),
            "waits_for": what_they_wait_for([bundle])[bundle.id],
            "url": f"{settings.SITE_URL}{reverse('admin:vip_bundles_vipbundle_change', args=[bundle.id])}",
        },
        about=subject_of(bundle),
        at=act.at,
    )
