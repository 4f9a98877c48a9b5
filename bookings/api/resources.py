"""Resources over HTTP: staff put them up, everybody reads them and what is free."""

from datetime import date, time
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings import services
from bookings.models import OpeningHours, Resource
from bookings.models.resources import HIGHEST_PRICE
from bookings.opening_hours import free_slots
from tickets_project.api.idempotency import idempotent
from tickets_project.api.permissions import staff_write_with
from tickets_project.api.requests import authenticated_user
from tickets_project.api.serializers import MoneySerializer, StrictSerializer, TextField, UtcDateTimeField
from tickets_project.audit.acts import act_of
from tickets_project.values import Money

MOST_OPENING_HOURS = 70
# So that a ticket for the longest slot costs what the columns and the API can hold.
_WEEKDAYS = [name for _, name in OpeningHours.WEEKDAYS]


class ClockField(serializers.TimeField):
    """A time of day such as 09:00; as a closing time, 00:00 is the end of the day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **options)


class OpeningHoursSerializer(StrictSerializer):
    """From when until when on a day of the week, in the installation's time zone."""

    weekday = serializers.ChoiceField(choices=_WEEKDAYS)
    opens = ClockField()
    closes = ClockField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to close before opening."""
        if attrs["closes"] <= attrs["opens"] and attrs["closes"] != time():
            raise serializers.ValidationError({"closes": ["Give a time after opens; 00:00 is the end of the day."]})
        return attrs

    def to_representation(self, instance: OpeningHours) -> dict[str, Any]:
        """Return the day by its name."""
        hours = {"opens": instance.opens.strftime("%H:%M"), "closes": instance.closes.strftime("%H:%M")}
        return {"weekday": instance.get_weekday_display(), **hours}


class NewResourceSerializer(StrictSerializer):
    """What staff say of a new resource; the price is for an hour."""

    type = serializers.ChoiceField(choices=Resource.TYPES)
    name = TextField(max_length=200)
    location = TextField(max_length=200, required=False, allow_blank=True)
    opening_hours = serializers.ListField(
        child=OpeningHoursSerializer(), allow_empty=False, max_length=MOST_OPENING_HOURS
    )
    price = MoneySerializer()
    ticket_type = TextField(max_length=50, required=False, allow_null=True)

    def validate_price(self, price: Money) -> Money:
        """Refuse what nobody could pay for long."""
        if price.amount > HIGHEST_PRICE:
            raise serializers.ValidationError(f"An hour costs at most {HIGHEST_PRICE}.00.")
        return price

    def validate_opening_hours(self, hours: list[dict[str, Any]]) -> list[tuple[int, time, time]]:
        """Refuse the same opening twice."""
        found = [(_WEEKDAYS.index(entry["weekday"]), entry["opens"], entry["closes"]) for entry in hours]
        if len({(weekday, opens) for weekday, opens, _ in found}) < len(found):
            raise serializers.ValidationError("Two of them open at the same time of the same day.")
        return found


class ResourceSerializer(serializers.Serializer[Resource]):
    """A resource as it is answered."""

    resource_id = serializers.UUIDField(source="id")
    type = serializers.CharField()
    name = serializers.CharField()
    location = serializers.CharField()
    opening_hours = OpeningHoursSerializer(source="opening_hours.all", many=True)
    price = MoneySerializer()
    ticket_type = serializers.SerializerMethodField()

    def get_ticket_type(self, resource: Resource) -> str | None:
        """Return of which type the ticket of a booking is."""
        return resource.ticket_type.name if resource.ticket_type else None


class SlotSerializer(serializers.Serializer[Any]):
    """A time that can be booked, as a whole or in part."""

    start_time = UtcDateTimeField()
    end_time = UtcDateTimeField()


class AvailabilitySerializer(serializers.Serializer[Any]):
    """What is free on a day."""

    resource_id = serializers.UUIDField()
    date = serializers.DateField()
    free_slots = SlotSerializer(many=True)


class DaySerializer(StrictSerializer):
    """Which day is asked about."""

    date = serializers.DateField()


class ResourcesView(ListAPIView[Resource]):
    """All resources, by name."""

    serializer_class = ResourceSerializer
    permission_classes = (staff_write_with("bookings.add_resource"),)
    ordering = ("name", "id")

    def get_queryset(self) -> QuerySet[Resource]:
        """Return all resources with their opening hours."""
        return Resource.objects.select_related("ticket_type").prefetch_related("opening_hours")

    @extend_schema(operation_id="make_resource", request=NewResourceSerializer, responses={201: ResourceSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Put a resource up for booking."""
        new = NewResourceSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        act = act_of(authenticated_user(request), permission="bookings.add_resource", at=timezone.now())
        return Response(ResourceSerializer(services.make_resource(act=act, **new.validated_data)).data, status=201)


class ResourceView(RetrieveAPIView[Resource]):
    """One resource."""

    queryset = Resource.objects.all()
    serializer_class = ResourceSerializer
    lookup_url_kwarg = "resource_id"


class AvailabilityView(APIView):
    """What of a resource is free."""

    @extend_schema(
        operation_id="availability",
        parameters=[OpenApiParameter("date", date, required=True, description="Where the house is.")],
        responses=AvailabilitySerializer,
    )
    def get(self, request: Request, resource_id: UUID) -> Response:
        """Answer the times of a day when it is open, not booked, and not begun."""
        resource = get_object_or_404(Resource.objects.prefetch_related("opening_hours"), id=resource_id)
        asked = DaySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        day = asked.validated_data["date"]
        found = {"resource_id": resource.id, "date": day, "free_slots": free_slots(resource, day, at=timezone.now())}
        return Response(AvailabilitySerializer(found).data)
