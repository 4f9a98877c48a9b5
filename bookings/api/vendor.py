"""The vendor over HTTP: which of its tickets are confirmed, and which cancelled."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings import services
from bookings.services.vendor import VendorTicket
from tickets_project.api.idempotency import idempotent
from tickets_project.api.serializers import IdField, MoneySerializer, StrictSerializer
from tickets_project.api.vendor_signature import VendorSignatureAuthentication
from tickets_project.audit.acts import Act

MOST_TICKETS = 1000
CONFIRMED = "confirmed"
CANCELED = "canceled"


class VendorTicketSerializer(StrictSerializer):
    """One ticket of the vendor's, with its price."""

    ticket_id = IdField()
    booking_id = IdField()
    status = serializers.ChoiceField(choices=[CONFIRMED, CANCELED])
    customer_email = serializers.EmailField(max_length=254)
    price = MoneySerializer()


class VendorTicketsSerializer(StrictSerializer):
    """The tickets, in the order in which the vendor tells of them."""

    tickets = VendorTicketSerializer(many=True, allow_empty=False, max_length=MOST_TICKETS)  # type: ignore[call-arg] # for the list


class TakenOverSerializer(serializers.Serializer[Any]):
    """How many tickets the request told of."""

    tickets = serializers.IntegerField()


class VendorTicketsView(APIView):
    """The vendor's webhook."""

    authentication_classes = (VendorSignatureAuthentication,)
    idempotency_key_required = True

    @extend_schema(operation_id="record_vendor_tickets", request=VendorTicketsSerializer, responses=TakenOverSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        """Take over all of it or nothing; what was told before changes nothing."""
        body = VendorTicketsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        told = [_told(**fields) for fields in body.validated_data["tickets"]]
        services.record_vendor_tickets(told=told, act=Act(at=timezone.now(), automatic="vendor"))
        return Response({"tickets": len(told)})


def _told(*, status: str, **fields: Any) -> VendorTicket:
    return VendorTicket(is_confirmed=status == CONFIRMED, **fields)
