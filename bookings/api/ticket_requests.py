"""What is asked of a ticket over HTTP: activate, redeem, undo a scan, refund."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings import queries, services
from bookings.api.tickets import TicketSerializer
from bookings.models import Refund, Scan, Ticket
from bookings.qr_links import qr_code_url
from bookings.signals import ticket_activation_requested, ticket_redemption_requested
from tickets_project.api.idempotency import idempotent
from tickets_project.api.permissions import staff_with
from tickets_project.api.requests import answer, authenticated_user
from tickets_project.api.serializers import MoneySerializer, StrictSerializer, TextField, UtcDateTimeField
from tickets_project.audit.acts import Act, act_of
from tickets_project.event_result import EventResult, ask


class ActivationSerializer(StrictSerializer):
    """The code that came with the confirmation."""

    activation_code = TextField(max_length=32)


class StaffActivationSerializer(StrictSerializer):
    """A code that replaces the ticket's own; one is made when there is none."""

    activation_code = TextField(max_length=32, required=False, allow_null=True)


class RedemptionSerializer(StrictSerializer):
    """What was scanned and where; the nonce makes it safe to send the scan again."""

    redemption_code = TextField(max_length=100)
    location = TextField(max_length=200, required=False, allow_blank=True)
    nonce = TextField(max_length=100, required=False, allow_null=True)


class RefundRequestSerializer(StrictSerializer):
    """Why the money is to go back."""

    reason = TextField(max_length=500, required=False, allow_blank=True)


class UndoSerializer(StrictSerializer):
    """Why the scan was a mistake."""

    reason = TextField(max_length=500, required=False, allow_blank=True)


class ActivatedSerializer(TicketSerializer):
    """An activated ticket with what its holder is sent."""

    activation_code = serializers.CharField()
    qr_code_url = serializers.SerializerMethodField()

    def get_qr_code_url(self, ticket: Ticket) -> str:
        """Return where its QR code is, for whoever has the link."""
        return qr_code_url(ticket.id)


class AdmissionSerializer(serializers.Serializer[Scan]):
    """A ticket as the door sees it, without its customer; a repeated scan is answered alike, whatever came after it."""

    scan_id = serializers.UUIDField(source="id")
    ticket_id = serializers.UUIDField()
    booking_id = serializers.UUIDField(source="ticket.booking_id", allow_null=True)
    status = serializers.CharField(source="outcome")
    title = serializers.CharField(source="ticket.title")
    ticket_type = serializers.CharField(source="ticket.ticket_type.name")
    redemption_code = serializers.CharField(source="ticket.redemption_code")
    valid_from = UtcDateTimeField(source="ticket.valid_from")
    valid_until = UtcDateTimeField(source="ticket.valid_until", allow_null=True)
    redeemed_at = UtcDateTimeField(source="scanned_at")
    redeemed_by = serializers.CharField(source="scanned_by.username")
    location = serializers.CharField()


class ScanSerializer(serializers.Serializer[Scan]):
    """A scan as it is answered."""

    scan_id = serializers.UUIDField(source="id")
    ticket_id = serializers.UUIDField(allow_null=True)
    outcome = serializers.CharField()
    scanned_at = UtcDateTimeField()
    scanned_by = serializers.CharField(source="scanned_by.username")
    location = serializers.CharField()
    undone_at = UtcDateTimeField(allow_null=True)
    undone_by = serializers.SerializerMethodField()

    def get_undone_by(self, scan: Scan) -> str | None:
        """Return who took it back."""
        return scan.undone_by.get_username() if scan.undone_by else None


class RefundSerializer(serializers.Serializer[Refund]):
    """A refund as it is answered."""

    refund_id = serializers.UUIDField(source="id")
    ticket_id = serializers.UUIDField(allow_null=True)
    booking_id = serializers.UUIDField(allow_null=True)
    status = serializers.CharField()
    amount = MoneySerializer(source="money")
    reason = serializers.CharField()
    requested_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(allow_null=True)


def _answer_of(name: str, shape: type[Any]) -> Any:
    return inline_serializer(name, {"success": serializers.BooleanField(), "data": shape()})


class ActivateTicketView(APIView):
    """The owner's request to activate."""

    @extend_schema(
        operation_id="activate_ticket",
        request=ActivationSerializer,
        responses=_answer_of("ActivationAnswer", TicketSerializer),
    )
    @idempotent
    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Activate a ticket of the caller's with its code."""
        body = ActivationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticated_user(request)
        ticket = get_object_or_404(queries.tickets_owned_by(user), id=ticket_id)
        act = Act(at=timezone.now(), actor=user)
        result = _activate(ticket, act, body.validated_data["activation_code"])
        return answer(self, result, lambda: TicketSerializer(result.data["ticket"]).data)


class StaffActivateTicketView(APIView):
    """The request of staff to activate."""

    permission_classes = (staff_with("bookings.activate_ticket"),)

    @extend_schema(
        operation_id="activate_ticket_as_staff",
        request=StaffActivationSerializer,
        responses=_answer_of("StaffActivationAnswer", ActivatedSerializer),
    )
    @idempotent
    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Activate any ticket, with a code or without."""
        body = StaffActivationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ticket = get_object_or_404(Ticket.objects.select_related("booking"), id=ticket_id)
        act = _staff_act(request, "bookings.activate_ticket")
        result = _activate(ticket, act, body.validated_data.get("activation_code"))
        return answer(self, result, lambda: ActivatedSerializer(result.data["ticket"]).data)


class RedeemTicketView(APIView):
    """A scan at the door."""

    permission_classes = (staff_with("bookings.redeem_ticket"),)

    @extend_schema(
        operation_id="redeem_ticket",
        request=RedemptionSerializer,
        responses=_answer_of("RedemptionAnswer", AdmissionSerializer),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Let the holder in, once; each scan is stored with its outcome."""
        body = RedemptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            result = ask(
                ticket_redemption_requested,
                redemption_code=body.validated_data["redemption_code"],
                act=_staff_act(request, "bookings.redeem_ticket"),
                location=body.validated_data.get("location", ""),
                nonce=body.validated_data.get("nonce"),
            )
        return answer(self, result, lambda: AdmissionSerializer(result.data["scan"]).data)


class TicketScansView(ListAPIView[Scan]):
    """A ticket's scans, newest first."""

    queryset = Scan.objects.none()  # for the OpenAPI document, which is nobody's
    serializer_class = ScanSerializer
    permission_classes = (staff_with("bookings.view_scan"),)
    ordering = ("-scanned_at", "-id")

    def get_queryset(self) -> QuerySet[Scan]:
        """Return each scan with its outcome."""
        ticket = get_object_or_404(Ticket, id=self.kwargs["ticket_id"])
        return Scan.objects.filter(ticket=ticket).select_related("scanned_by", "undone_by")


class UndoScanView(APIView):
    """Taking a scan back."""

    permission_classes = (staff_with("bookings.undo_scan"),)

    @extend_schema(operation_id="undo_scan", request=UndoSerializer, responses=ScanSerializer)
    @idempotent
    def post(self, request: Request, scan_id: UUID) -> Response:
        """Make the ticket of a mistaken scan active again, within fifteen minutes."""
        body = UndoSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        get_object_or_404(Scan, id=scan_id)
        act = _staff_act(request, "bookings.undo_scan").because(body.validated_data.get("reason", ""))
        return Response(ScanSerializer(services.undo_scan(scan_id=scan_id, act=act)).data)


class RefundTicketView(APIView):
    """The request for a ticket's money."""

    @extend_schema(operation_id="refund_ticket", request=RefundRequestSerializer, responses={202: RefundSerializer})
    @idempotent
    def post(self, request: Request, ticket_id: UUID) -> Response:
        """Cancel the ticket and send its money back, as far as the policy goes."""
        body = RefundRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticated_user(request)
        act = act_of(user, permission="bookings.request_refund", at=timezone.now())
        tickets = queries.tickets_visible_to(user) if act.as_staff else queries.tickets_owned_by(user)
        ticket = get_object_or_404(tickets, id=ticket_id)
        act = act.because(body.validated_data.get("reason", ""))
        return Response(RefundSerializer(services.request_refund(ticket_id=ticket.id, act=act)).data, status=202)


def _staff_act(request: Request, permission: str) -> Act:
    return act_of(authenticated_user(request), permission=permission, at=timezone.now())


@transaction.atomic
def _activate(ticket: Ticket, act: Act, code: str | None) -> EventResult:
    return ask(ticket_activation_requested, ticket=ticket, act=act, activation_code=code)
