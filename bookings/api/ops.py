"""The ops read model over HTTP: what has happened to bookings and tickets so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from bookings.api.filters import OpsBookingFilter
from bookings.models import OpsBooking, OpsTicket
from bookings.ops_queries import ops_bookings, ops_tickets_of
from tickets_project.api.permissions import staff_with
from tickets_project.api.serializers import MoneySerializer, UtcDateTimeField

READ = staff_with("bookings.view_opsbooking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A booking with its tickets, which no foreign key ties to it."""

    booking: OpsBooking
    tickets: Sequence[OpsTicket]


class OpsTicketSerializer(serializers.Serializer[OpsTicket]):
    """What is known of a ticket; null: it has not happened, or nobody has told yet."""

    ticket_id = serializers.UUIDField()
    customer_email = serializers.EmailField()
    price = MoneySerializer(allow_null=True)
    confirmed_at = UtcDateTimeField(allow_null=True)
    printed_at = UtcDateTimeField(allow_null=True)
    file_name = serializers.SerializerMethodField()
    receipt_number = serializers.SerializerMethodField()
    receipt_issued_at = UtcDateTimeField(allow_null=True)
    refunded_at = UtcDateTimeField(allow_null=True)

    def get_file_name(self, ticket: OpsTicket) -> str | None:
        """Return the document's name in the files service."""
        return ticket.file_name or None

    def get_receipt_number(self, ticket: OpsTicket) -> str | None:
        """Return the number that the receipts service gave."""
        return ticket.receipt_number or None


class OpsBookingSerializer(serializers.Serializer[Gathered]):
    """What is known of a booking and its confirmed tickets."""

    booking_id = serializers.UUIDField(source="booking.booking_id")
    show_id = serializers.UUIDField(source="booking.show_id")
    number_of_tickets = serializers.IntegerField(source="booking.number_of_tickets")
    customer_email = serializers.EmailField(source="booking.customer_email")
    booked_at = UtcDateTimeField(source="booking.booked_at")
    tickets = OpsTicketSerializer(many=True)


class OpsBookingsView(ListAPIView[Any]):
    """Bookings of shows with what has happened to their tickets, newest first."""

    serializer_class = OpsBookingSerializer
    permission_classes = (READ,)
    filterset_class = OpsBookingFilter
    ordering = ("-booked_at", "-pk")

    def get_queryset(self) -> QuerySet[OpsBooking]:
        """Return all bookings that were made."""
        return ops_bookings()

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page of bookings with their tickets."""
        return _gathered(super().paginate_queryset(queryset) or [])


class OpsBookingView(RetrieveAPIView[Any]):
    """One booking with what has happened to its tickets."""

    serializer_class = OpsBookingSerializer
    permission_classes = (READ,)
    lookup_url_kwarg = "booking_id"

    def get_queryset(self) -> QuerySet[OpsBooking]:
        """Return all bookings that were made."""
        return ops_bookings()

    def get_object(self) -> Any:
        """Return the booking with its tickets."""
        [gathered] = _gathered([super().get_object()])
        return gathered


def _gathered(bookings: Sequence[OpsBooking]) -> list[Gathered]:
    tickets = ops_tickets_of(bookings)
    return [Gathered(booking=booking, tickets=tickets[booking.booking_id]) for booking in bookings]
