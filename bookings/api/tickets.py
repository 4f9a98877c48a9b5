"""Tickets over HTTP: what they are, their printed document and their QR code."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from bookings import queries
from bookings.api.filters import TicketFilter
from bookings.documents import document_response
from bookings.errors import NotPrintedYet
from bookings.models import Ticket
from bookings.qr_links import opens
from tickets_project.api.requests import authenticated_user
from tickets_project.api.serializers import MoneySerializer, UtcDateTimeField
from tickets_project.qr_codes import qr_svg


class TicketSerializer(serializers.Serializer[Ticket]):
    """A ticket as its owner and staff see it."""

    ticket_id = serializers.UUIDField(source="id")
    booking_id = serializers.UUIDField(allow_null=True)
    status = serializers.CharField()
    title = serializers.CharField()
    ticket_type = serializers.CharField(source="ticket_type.name")
    customer_email = serializers.EmailField()
    price = MoneySerializer()
    redemption_code = serializers.CharField()
    valid_from = UtcDateTimeField(allow_null=True)
    valid_until = UtcDateTimeField(allow_null=True)
    redeemed_at = UtcDateTimeField(allow_null=True)
    printed_at = UtcDateTimeField(allow_null=True)
    file_name = serializers.SerializerMethodField()
    receipt_number = serializers.CharField(allow_null=True)
    refunded_at = UtcDateTimeField(allow_null=True)

    def get_file_name(self, ticket: Ticket) -> str | None:
        """Return the document's name in the files service."""
        return ticket.file_name or None


class TicketsView(ListAPIView[Ticket]):
    """Tickets, newest first."""

    queryset = Ticket.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = TicketSerializer
    filterset_class = TicketFilter
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Ticket]:
        """Return the caller's tickets, all of them for staff."""
        return queries.tickets_visible_to(authenticated_user(self.request))


class TicketView(RetrieveAPIView[Ticket]):
    """One ticket."""

    queryset = Ticket.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = TicketSerializer
    lookup_url_kwarg = "ticket_id"

    def get_queryset(self) -> QuerySet[Ticket]:
        """Return the caller's tickets, all of them for staff."""
        return queries.tickets_visible_to(authenticated_user(self.request))


class OneKind(DefaultContentNegotiation):
    """For views that answer one kind of content, whatever the client accepts; their refusals are problems anyway."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer, which is not used."""
        del request, format_suffix
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class TicketDocumentView(APIView):
    """The printed ticket, from the files service."""

    content_negotiation_class = OneKind

    @extend_schema(operation_id="ticket_document", responses={(200, "text/html"): OpenApiTypes.STR})
    def get(self, request: Request, ticket_id: UUID) -> HttpResponse:
        """Answer the stored document, 404 until it is printed."""
        ticket = get_object_or_404(queries.tickets_visible_to(authenticated_user(request)), id=ticket_id)
        document = document_response(ticket)
        if document is None:
            raise NotPrintedYet
        return document


class TicketQrView(APIView):
    """The redemption code as a picture."""

    content_negotiation_class = OneKind
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="ticket_qr",
        parameters=[OpenApiParameter("key", str, description="Of the link in a mail; it stands for logging in.")],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, ticket_id: UUID) -> HttpResponse:
        """Answer the QR code as SVG."""
        if opens(request.query_params.get("key", ""), ticket_id):
            tickets: QuerySet[Ticket] = Ticket.objects.all()
        else:
            tickets = queries.tickets_visible_to(authenticated_user(request))
        ticket = get_object_or_404(tickets, id=ticket_id)
        return HttpResponse(qr_svg(ticket.redemption_code), content_type="image/svg+xml")
