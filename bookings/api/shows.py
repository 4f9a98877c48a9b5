"""Shows over HTTP: staff put them up, everybody reads them."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bookings import queries, services
from bookings.models import Show
from tickets_project.api.idempotency import idempotent
from tickets_project.api.permissions import staff_write_with
from tickets_project.api.requests import authenticated_user
from tickets_project.api.serializers import (
    IdField,
    MoneySerializer,
    StrictSerializer,
    TextField,
    UtcDateTimeField,
    WholeNumberField,
)
from tickets_project.audit.acts import act_of

MOST_SEATS = 1_000_000


class NewShowSerializer(StrictSerializer):
    """What staff say of a new show; the price is for one ticket."""

    title = TextField(max_length=200)
    venue = TextField(max_length=200)
    start_time = UtcDateTimeField()
    end_time = UtcDateTimeField(required=False, allow_null=True)
    doors_time = UtcDateTimeField(required=False, allow_null=True)
    number_of_tickets = WholeNumberField(min_value=1, max_value=MOST_SEATS)
    price = MoneySerializer()
    ticket_type = TextField(max_length=50, required=False)
    dead_nation_id = IdField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a show that is over, or that ends before it starts."""
        if attrs["start_time"] <= timezone.now():
            raise serializers.ValidationError({"start_time": ["Give a time in the future."]})
        if (end := attrs.get("end_time")) and end <= attrs["start_time"]:
            raise serializers.ValidationError({"end_time": ["Give a time after start_time."]})
        if (doors := attrs.get("doors_time")) and doors > attrs["start_time"]:
            raise serializers.ValidationError({"doors_time": ["Give a time before start_time."]})
        return attrs


class ShowSerializer(serializers.Serializer[Show]):
    """A show as it is answered; tickets are valid from its doors."""

    show_id = serializers.UUIDField(source="id")
    title = serializers.CharField()
    venue = serializers.CharField()
    start_time = UtcDateTimeField()
    end_time = UtcDateTimeField(allow_null=True)
    doors_time = UtcDateTimeField(source="doors_at")
    number_of_tickets = serializers.IntegerField()
    seats_left = serializers.IntegerField()
    price = MoneySerializer()
    ticket_type = serializers.CharField(source="ticket_type.name")
    dead_nation_id = serializers.UUIDField(allow_null=True)


class ShowsView(ListAPIView[Show]):
    """All shows, earliest first."""

    serializer_class = ShowSerializer
    permission_classes = (staff_write_with("bookings.add_show"),)
    ordering = ("start_time", "id")

    def get_queryset(self) -> QuerySet[Show]:
        """Return all shows."""
        return queries.shows()

    @extend_schema(operation_id="make_show", request=NewShowSerializer, responses={201: ShowSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Put a show up for booking."""
        new = NewShowSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        act = act_of(authenticated_user(request), permission="bookings.add_show", at=timezone.now())
        return Response(ShowSerializer(services.make_show(act=act, **new.validated_data)).data, status=201)


class ShowView(RetrieveAPIView[Show]):
    """One show."""

    serializer_class = ShowSerializer
    lookup_url_kwarg = "show_id"

    def get_queryset(self) -> QuerySet[Show]:
        """Return all shows."""
        return queries.shows()
