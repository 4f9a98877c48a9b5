"""What is asked of a booking over HTTP: confirm, cancel, complete, no-show."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings import queries, services
from bookings.api.bookings import BookingSerializer
from bookings.models import Booking
from bookings.services.refund_rows import currency_of
from bookings.signals import booking_cancellation_requested, booking_confirmation_requested
from tickets_project.api.idempotency import idempotent
from tickets_project.api.permissions import staff_with
from tickets_project.api.requests import answer, authenticated_user
from tickets_project.api.serializers import AmountField, StrictSerializer, TextField
from tickets_project.audit.acts import Act, act_of
from tickets_project.event_result import EventResult, ask

CHANGE = "bookings.change_booking"


class ConfirmationSerializer(StrictSerializer):
    """What pays for the booking; staff may leave it out."""

    payment_id = TextField(max_length=100, required=False, allow_null=True)


class CancellationSerializer(StrictSerializer):
    """Why, and for staff how much is paid back, in the currency of the preview."""

    reason = TextField(max_length=500, required=False, allow_blank=True, allow_null=True)
    refund_amount = AmountField(required=False, allow_null=True)


class RefundPreviewSerializer(serializers.Serializer[Any]):
    """What cancelling now would pay back."""

    refund_amount = AmountField()
    currency = serializers.CharField()


class NothingSerializer(StrictSerializer):
    """An empty body."""


ANSWERED = inline_serializer("BookingAnswer", {"success": serializers.BooleanField(), "data": BookingSerializer()})


class ConfirmBookingView(APIView):
    """The request to confirm."""

    @extend_schema(operation_id="confirm_booking", request=ConfirmationSerializer, responses=ANSWERED)
    @idempotent
    def post(self, request: Request, booking_id: UUID) -> Response:
        """Confirm a pending booking and make its tickets."""
        body = ConfirmationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        booking, act = _asked(request, booking_id)
        payment_id = body.validated_data.get("payment_id")
        with transaction.atomic():
            result = ask(booking_confirmation_requested, booking=booking, act=act, payment_id=payment_id)
        return answer(self, result, lambda: _answered(result))


class CancelBookingView(APIView):
    """The request to cancel, and what it would pay back."""

    @extend_schema(operation_id="preview_cancellation", responses=RefundPreviewSerializer)
    def get(self, request: Request, booking_id: UUID) -> Response:
        """Tell what cancelling now would pay back."""
        booking, act = _asked(request, booking_id)
        preview = {"refund_amount": services.refund_preview(booking, act), "currency": currency_of(booking)}
        return Response(RefundPreviewSerializer(preview).data)

    @extend_schema(operation_id="cancel_booking", request=CancellationSerializer, responses=ANSWERED)
    @idempotent
    def post(self, request: Request, booking_id: UUID) -> Response:
        """Cancel a pending or confirmed booking: its open tickets with it, its seats free, its refund on the way."""
        body = CancellationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        booking, act = _asked(request, booking_id)
        act = act.because(body.validated_data.get("reason") or "")
        amount = body.validated_data.get("refund_amount")
        with transaction.atomic():
            result = ask(booking_cancellation_requested, booking=booking, act=act, refund_amount=amount)
        return answer(self, result, lambda: _answered(result))


class EndBookingView(APIView):
    """How staff end a booking; each use case is a subclass."""

    permission_classes = (staff_with(CHANGE),)
    end: Callable[..., Booking]

    @extend_schema(request=NothingSerializer, responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, booking_id: UUID) -> Response:
        """End a confirmed booking."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        booking, act = _asked(request, booking_id)
        type(self).end(booking_id=booking.id, act=act)
        return Response(BookingSerializer(queries.booking_with_tickets(booking.id)).data)


@extend_schema_view(
    post=extend_schema(operation_id="complete_booking", description="Note that a confirmed booking took place.")
)
class CompleteBookingView(EndBookingView):
    """It took place."""

    end = staticmethod(services.complete_booking)


@extend_schema_view(
    post=extend_schema(operation_id="mark_no_show", description="Note that nobody came for a confirmed booking.")
)
class NoShowBookingView(EndBookingView):
    """Nobody came."""

    end = staticmethod(services.mark_no_show)


def _asked(request: Request, booking_id: UUID) -> tuple[Booking, Act]:
    """Return the booking and the caller's act: on any booking for staff who may change them, else on an own one."""
    user = authenticated_user(request)
    act = act_of(user, permission=CHANGE, at=timezone.now())
    bookings = queries.bookings_visible_to(user) if act.as_staff else queries.bookings_owned_by(user)
    return get_object_or_404(bookings, id=booking_id), act


def _answered(result: EventResult) -> Any:
    return BookingSerializer(queries.booking_with_tickets(result.data["booking"].id)).data
