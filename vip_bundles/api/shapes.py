"""Bundles as they are answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tickets_project.api.serializers import UtcDateTimeField
from tickets_project.outbox.models import Delivery, Status
from vip_bundles.facts import Leg
from vip_bundles.models import STATES, BundleMove, BundleTicket, VipBundle
from vip_bundles.queries import what_they_wait_for
from vip_bundles.timeline import Entry, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxi:
    """A taxi that is booked."""

    booking_id: str
    booked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A bundle with what it waits for."""

    bundle: VipBundle
    waits_for: str | None

    @property
    def taxi(self) -> Taxi | None:
        """Return the taxi, if it is booked."""
        bundle = self.bundle
        if bundle.taxi_booked_at is None:
            return None
        return Taxi(booking_id=bundle.taxi_booking_id, booked_at=bundle.taxi_booked_at)


class BundleTicketSerializer(serializers.Serializer[BundleTicket]):
    """A ticket of the bundle's show; null: it has not happened, or nobody has told yet."""

    ticket_id = serializers.UUIDField()
    confirmed_at = UtcDateTimeField(allow_null=True)
    printed_at = UtcDateTimeField(allow_null=True)
    file_name = serializers.SerializerMethodField()
    refunded_at = UtcDateTimeField(allow_null=True)

    def get_file_name(self, ticket: BundleTicket) -> str | None:
        """Return the document's name in the files service."""
        return ticket.file_name or None


class FlightSerializer(serializers.Serializer[Leg]):
    """A flight, one way, with a ticket for each passenger once it is booked."""

    flight_id = serializers.UUIDField()
    ticket_ids = serializers.ListField(child=serializers.CharField())
    booked_at = UtcDateTimeField(allow_null=True)


class TaxiSerializer(serializers.Serializer[Taxi]):
    """A taxi for all passengers."""

    booking_id = serializers.CharField()
    booked_at = UtcDateTimeField()


class BundleSerializer(serializers.Serializer[Shown]):
    """A bundle with what is known of it; what is taken back after a failure stays to be read."""

    vip_bundle_id = serializers.UUIDField(source="bundle.id")
    booking_id = serializers.UUIDField(source="bundle.booking_id", help_text="The booking of the show's seats.")
    state = serializers.ChoiceField(source="bundle.state", choices=STATES)
    waits_for = serializers.CharField(allow_null=True, help_text="What ends the present step; null: it has ended.")
    failure_reason = serializers.SerializerMethodField()
    stuck = serializers.SerializerMethodField(help_text="Whether it has not ended in time.")
    stuck_at = UtcDateTimeField(source="bundle.stuck_at", allow_null=True)
    deadline_at = UtcDateTimeField(source="bundle.deadline_at")
    created_at = UtcDateTimeField(source="bundle.created_at")
    finalized_at = UtcDateTimeField(source="bundle.finalized_at", allow_null=True)
    customer_email = serializers.EmailField(source="bundle.customer_email")
    number_of_tickets = serializers.IntegerField(source="bundle.number_of_tickets")
    show_id = serializers.UUIDField(source="bundle.show_id")
    show_title = serializers.CharField(source="bundle.show_title")
    passengers = serializers.ListField(source="bundle.passengers", child=serializers.CharField())
    booking_made_at = UtcDateTimeField(source="bundle.booking_made_at", allow_null=True)
    tickets = BundleTicketSerializer(source="bundle.tickets.all", many=True)
    inbound_flight = FlightSerializer(source="bundle.inbound_leg")
    return_flight = FlightSerializer(source="bundle.return_leg", allow_null=True)
    wants_taxi = serializers.BooleanField(source="bundle.wants_taxi")
    taxi = TaxiSerializer(allow_null=True)

    def get_failure_reason(self, shown: Shown) -> str | None:
        """Return why it failed."""
        return shown.bundle.failure_reason or None

    def get_stuck(self, shown: Shown) -> bool:
        """Tell whether it has not ended in time."""
        return shown.bundle.stuck_at is not None


class MoveSerializer(serializers.Serializer[BundleMove]):
    """One move from state to state, perhaps the same."""

    from_state = serializers.CharField()
    to_state = serializers.CharField()


class EntrySerializer(serializers.Serializer[Entry]):
    """A message in or out, or what a person asked for, with the moves that followed."""

    at = UtcDateTimeField()
    what = serializers.CharField(help_text="The message's stored name, or retry, or roll back.")
    kind = serializers.ChoiceField(choices=["event", "command", "request"])
    direction = serializers.ChoiceField(choices=["in", "out"])
    tells = serializers.CharField()
    moves = MoveSerializer(many=True)


class EntryDeliverySerializer(serializers.Serializer[Delivery]):
    """How far the message has come on its way to one handler."""

    delivery_id = serializers.IntegerField(source="id")
    handler = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    attempts = serializers.IntegerField()
    delivered_at = UtcDateTimeField(allow_null=True)


class StaffEntrySerializer(EntrySerializer):
    """Likewise; `message_id`, `by`, `reason` and `deliveries` are for staff alone."""

    message_id = serializers.UUIDField(allow_null=True, required=False)
    by = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)
    deliveries = EntryDeliverySerializer(many=True, required=False)


class WholeBundleSerializer(BundleSerializer):
    """A bundle with all that has happened to it; the context's `as_staff` says for whom."""

    timeline = serializers.SerializerMethodField()

    @extend_schema_field(StaffEntrySerializer(many=True))
    def get_timeline(self, shown: Shown) -> Any:
        """Return what has happened to it, oldest first."""
        entry = StaffEntrySerializer() if self.context["as_staff"] else EntrySerializer()
        return serializers.ListSerializer(timeline(shown.bundle), child=entry).data


def show_bundles(bundles: Sequence[VipBundle]) -> list[Shown]:
    """Return bundles, whose tickets are at hand, with what they wait for."""
    awaited = what_they_wait_for(bundles)
    return [Shown(bundle=bundle, waits_for=awaited[bundle.id]) for bundle in bundles]


def whole_bundle(bundle: VipBundle, *, as_staff: bool) -> dict[str, Any]:
    """Return the answer about one bundle."""
    [shown] = show_bundles([bundle])
    return dict(WholeBundleSerializer(shown, context={"as_staff": as_staff}).data)
