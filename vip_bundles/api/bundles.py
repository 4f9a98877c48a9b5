"""Bundles over HTTP: make, list, read."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets_project.api.idempotency import idempotent
from tickets_project.api.requests import authenticated_user, email_of
from tickets_project.audit.acts import act_of
from vip_bundles import queries, services
from vip_bundles.api.filters import BundleFilter
from vip_bundles.api.new_bundles import NewBundleSerializer
from vip_bundles.api.shapes import BundleSerializer, WholeBundleSerializer, show_bundles, whole_bundle
from vip_bundles.models import VipBundle
from vip_bundles.services.making import BundleShow, Journey


class BundlesView(ListAPIView[Any]):
    """Bundles, newest first."""

    queryset = VipBundle.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = BundleSerializer
    filterset_class = BundleFilter
    ordering = ("-created_at", "-id")

    @staticmethod
    def find_show(show_id: UUID, *, at: datetime) -> BundleShow:
        """Return a show that can be booked then; shows belong to another app, so the project's urls give this.

        :raises DomainError: if there is no such show, or it can be no bundle's
        """
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[VipBundle]:
        """Return the caller's bundles, all of them for staff."""
        return queries.bundles_visible_to(authenticated_user(self.request))

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page of bundles with what they wait for."""
        return show_bundles(super().paginate_queryset(queryset) or [])

    @extend_schema(operation_id="make_vip_bundle", request=NewBundleSerializer, responses={201: BundleSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Begin to book a show, flights and perhaps a taxi. It is answered before anything of it is booked."""
        new = NewBundleSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        return Response(self._made(authenticated_user(request), new.validated_data), status=201)

    def _made(self, user: User, wanted: dict[str, Any]) -> Any:
        now = timezone.now()
        bundle = services.make_bundle(
            vip_bundle_id=uuid4(),
            booking_id=uuid4(),
            customer_email=email_of(user, wanted.get("customer_email")),
            show=self.find_show(wanted["show_id"], at=now),
            journey=_journey(wanted),
            owner=user,
            act=act_of(user, permission=queries.REPAIR, at=now),
        )
        [shown] = show_bundles([bundle])
        return BundleSerializer(shown).data


class BundleView(APIView):
    """One bundle."""

    @extend_schema(operation_id="vip_bundles_retrieve", responses=WholeBundleSerializer)
    def get(self, request: Request, vip_bundle_id: UUID) -> Response:
        """One bundle with all that has happened to it."""
        user = authenticated_user(request)
        bundle = get_object_or_404(queries.bundles_visible_to(user), id=vip_bundle_id)
        return Response(whole_bundle(bundle, as_staff=queries.sees_all(user)))


def _journey(wanted: dict[str, Any]) -> Journey:
    return Journey(
        passengers=wanted["passengers"],
        inbound_flight_id=wanted["inbound_flight_id"],
        return_flight_id=wanted["return_flight_id"],
        wants_taxi=wanted["wants_taxi"],
    )
