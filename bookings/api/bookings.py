"""Bookings over HTTP: make, list, read, confirm."""

from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings import queries, services
from bookings.api.filters import BookingFilter
from bookings.api.tickets import TicketSerializer
from bookings.models import Booking, Show
from bookings.signals import booking_confirmation_requested
from tickets_project.api.idempotency import idempotent
from tickets_project.api.requests import answer, authenticated_user
from tickets_project.api.serializers import (
    IdField,
    MoneySerializer,
    StrictSerializer,
    TextField,
    UtcDateTimeField,
    WholeNumberField,
)
from tickets_project.event_result import ask

MOST_TICKETS = 1000


class NewBookingSerializer(StrictSerializer):
    """Who wants how many seats of which show; the e-mail address is the caller's own by default."""

    show_id = IdField()
    number_of_tickets = WholeNumberField(min_value=1, max_value=MOST_TICKETS)
    customer_email = serializers.EmailField(max_length=254, required=False)


class ConfirmationSerializer(StrictSerializer):
    """What pays for the booking; staff may leave it out."""

    payment_id = TextField(max_length=100, required=False, allow_null=True)


class BookingSerializer(serializers.Serializer[Booking]):
    """A booking as it is answered; the price is for all its tickets."""

    booking_id = serializers.UUIDField(source="id")
    status = serializers.CharField()
    show_id = serializers.UUIDField()
    title = serializers.CharField(source="show.title")
    number_of_tickets = serializers.IntegerField()
    customer_email = serializers.EmailField()
    confirmation_code = serializers.CharField(allow_null=True)
    start_time = UtcDateTimeField(source="show.start_time")
    end_time = UtcDateTimeField(source="show.end_time", allow_null=True)
    price = MoneySerializer()
    created_at = UtcDateTimeField()
    confirmed_at = UtcDateTimeField(allow_null=True)
    tickets = TicketSerializer(source="tickets.all", many=True)


CONFIRMED = inline_serializer("Confirmed", {"success": serializers.BooleanField(), "data": BookingSerializer()})


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
        """Hold seats of a show until the booking is confirmed."""
        new = NewBookingSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        show = get_object_or_404(Show, id=new.validated_data["show_id"])
        user = authenticated_user(request)
        email = new.validated_data.get("customer_email") or user.email
        if not email:
            raise serializers.ValidationError({"customer_email": ["Your account has no e-mail address: give one."]})
        booking = services.make_booking(
            booking_id=uuid4(),
            show_id=show.id,
            number_of_tickets=new.validated_data["number_of_tickets"],
            customer_email=email,
            owner=user,
            at=timezone.now(),
        )
        return Response(BookingSerializer(booking).data, status=201)


class BookingView(RetrieveAPIView[Booking]):
    """One booking with its tickets."""

    queryset = Booking.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = BookingSerializer
    lookup_url_kwarg = "booking_id"

    def get_queryset(self) -> QuerySet[Booking]:
        """Return the caller's bookings, all of them for staff."""
        return queries.bookings_visible_to(authenticated_user(self.request))


class ConfirmBookingView(APIView):
    """The request to confirm."""

    @extend_schema(operation_id="confirm_booking", request=ConfirmationSerializer, responses=CONFIRMED)
    @idempotent
    def post(self, request: Request, booking_id: UUID) -> Response:
        """Confirm a pending booking and make its tickets."""
        confirmation = ConfirmationSerializer(data=request.data)
        confirmation.is_valid(raise_exception=True)
        user = authenticated_user(request)
        booking = get_object_or_404(queries.bookings_visible_to(user), id=booking_id)
        with transaction.atomic():
            result = ask(
                booking_confirmation_requested,
                booking=booking,
                actor=user,
                payment_id=confirmation.validated_data.get("payment_id"),
                at=timezone.now(),
            )
        return answer(self, result, lambda: BookingSerializer(result.data["booking"]).data)
