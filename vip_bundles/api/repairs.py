"""What staff ask of a bundle that has not ended: retry its step, or roll it back."""

from collections.abc import Callable
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets_project.api.idempotency import idempotent
from tickets_project.api.permissions import staff_with
from tickets_project.api.requests import authenticated_user
from tickets_project.api.serializers import StrictSerializer, TextField
from tickets_project.audit.acts import Act, act_of
from vip_bundles import queries, services
from vip_bundles.api.shapes import WholeBundleSerializer, whole_bundle
from vip_bundles.models import VipBundle


class RepairSerializer(StrictSerializer):
    """Why it is done; the customer reads it when the bundle is rolled back."""

    reason = TextField(max_length=500)


class RepairBundleView(APIView):
    """How staff repair a bundle; each use case is a subclass."""

    permission_classes = (staff_with(queries.REPAIR),)
    repair: Callable[..., VipBundle]

    @extend_schema(request=RepairSerializer, responses=WholeBundleSerializer)
    @idempotent
    def post(self, request: Request, vip_bundle_id: UUID) -> Response:
        """Repair a bundle that has not ended."""
        body = RepairSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        bundle = get_object_or_404(queries.bundles_visible_to(authenticated_user(request)), id=vip_bundle_id)
        type(self).repair(vip_bundle_id=bundle.id, act=_act(request, **body.validated_data))
        return Response(whole_bundle(queries.bundles().get(id=bundle.id), as_staff=True))


@extend_schema_view(
    post=extend_schema(
        operation_id="retry_vip_bundle",
        description="Ask again for what a bundle waits for, and give it another deadline. Nothing is booked twice.",
    )
)
class RetryBundleView(RepairBundleView):
    """Its present step is asked for again."""

    repair = staticmethod(services.retry_step)


@extend_schema_view(
    post=extend_schema(
        operation_id="roll_back_vip_bundle",
        description="End a bundle as if its present step had failed. What is booked is taken back, also what is "
        "booked later. The customer reads the reason.",
    )
)
class RollBackBundleView(RepairBundleView):
    """It ends in failure."""

    repair = staticmethod(services.roll_back)


def _act(request: Request, *, reason: str) -> Act:
    return act_of(authenticated_user(request), permission=queries.REPAIR, at=timezone.now(), reason=reason)
