"""Bookings over HTTP: make, list, read."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bookings import queries, services
from bookings.api.filters import BookingFilter
from bookings.api.tickets import TicketSerializer
from bookings.models import Booking, Resource, Show
from tickets_project.api.idempotency import idempotent
from tickets_project.api.requests import authenticated_user, email_of
from tickets_project.api.serializers import (
    AmountField,
    IdField,
    MoneySerializer,
    StrictSerializer,
    UtcDateTimeField,
    WholeNumberField,
)
from tickets_project.audit.acts import act_of

MOST_TICKETS = 1000
LONGEST_SLOT = timedelta(days=31)
FOR_A_SHOW = ("show_id", "number_of_tickets")
FOR_A_RESOURCE = ("resource_id", "start_time", "end_time")


class NewBookingSerializer(StrictSerializer):
    """Who wants how many seats of which show, or which resource from when until when.

    The e-mail address is the caller's own by default.
    """

    show_id = IdField(required=False)
    number_of_tickets = WholeNumberField(min_value=1, max_value=MOST_TICKETS, required=False)
    resource_id = IdField(required=False)
    start_time = UtcDateTimeField(required=False)
    end_time = UtcDateTimeField(required=False)
    customer_email = serializers.EmailField(max_length=254, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take what a show needs or what a resource needs, whole and alone."""
        wanted, other = (FOR_A_RESOURCE, FOR_A_SHOW) if "resource_id" in attrs else (FOR_A_SHOW, FOR_A_RESOURCE)
        wrong = {name: ["This field is required."] for name in wanted if name not in attrs}
        wrong |= {name: [f"Leave it out beside {wanted[0]}."] for name in other if name in attrs}
        if wrong:
            raise serializers.ValidationError(wrong)
        if "end_time" in attrs:
            _refuse_length(attrs["end_time"] - attrs["start_time"])
        return attrs


class PlainBookingSerializer(serializers.Serializer[Booking]):
    """A booking without its tickets; the price is for all of it, the refund in the currency that was paid."""

    booking_id = serializers.UUIDField(source="id")
    status = serializers.CharField()
    show_id = serializers.UUIDField(allow_null=True)
    resource_id = serializers.UUIDField(allow_null=True)
    title = serializers.CharField()
    location = serializers.CharField()
    number_of_tickets = serializers.IntegerField()
    customer_email = serializers.EmailField()
    confirmation_code = serializers.CharField(allow_null=True)
    start_time = UtcDateTimeField()
    end_time = UtcDateTimeField(allow_null=True)
    price = MoneySerializer()
    created_at = UtcDateTimeField()
    confirmed_at = UtcDateTimeField(allow_null=True)
    cancelled_at = UtcDateTimeField(allow_null=True)
    refund_amount = AmountField(allow_null=True)


class BookingSerializer(PlainBookingSerializer):
    """A booking as it is answered."""

    tickets = TicketSerializer(source="tickets.all", many=True)


class BookingsView(ListAPIView[Booking]):
    """Bookings, newest first."""

    queryset = Booking.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = BookingSerializer
    filterset_class = BookingFilter
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Booking]:
        """Return the caller's bookings, all of them for staff."""
        return queries.bookings_visible_to(authenticated_user(self.request))

    @extend_schema(operation_id="make_booking", request=NewBookingSerializer, responses={201: BookingSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Hold seats of a show, or a resource for a time, until the booking is confirmed."""
        new = NewBookingSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        user = authenticated_user(request)
        facts = {**new.validated_data, "customer_email": email_of(user, new.validated_data.get("customer_email"))}
        # It has no tickets before it is confirmed.
        return Response({**PlainBookingSerializer(_book(facts, user)).data, "tickets": []}, status=201)


class BookingView(RetrieveAPIView[Booking]):
    """One booking with its tickets."""

    queryset = Booking.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = BookingSerializer
    lookup_url_kwarg = "booking_id"

    def get_queryset(self) -> QuerySet[Booking]:
        """Return the caller's bookings, all of them for staff."""
        return queries.bookings_visible_to(authenticated_user(self.request))


def _refuse_length(length: timedelta) -> None:
    if length <= timedelta(0):
        raise serializers.ValidationError({"end_time": ["Give a time after start_time."]})
    if length > LONGEST_SLOT:
        most = f"Give a time at most {LONGEST_SLOT.days} days after start_time."
        raise serializers.ValidationError({"end_time": [most]})


def _book(facts: dict[str, Any], user: User) -> Booking:
    act = act_of(user, permission="bookings.change_booking", at=timezone.now())
    if "resource_id" in facts:
        get_object_or_404(Resource, id=facts["resource_id"])
        return services.book_resource(booking_id=uuid4(), owner=user, act=act, **facts)
    try:
        return services.make_booking(owner=user, act=act, **facts)
    except Show.DoesNotExist as error:
        raise Http404 from error
