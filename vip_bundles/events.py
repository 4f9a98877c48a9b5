"""What VIP bundles tell the others, and what their transport commands came to."""

from dataclasses import dataclass
from typing import ClassVar

from tickets_project.outbox.messages import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class VipBundleInitializedV1(Event):
    """A bundle is wanted; nothing of it is booked yet."""

    NAME: ClassVar[str] = "VipBundleInitialized_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "vip_bundle_id")

    vip_bundle_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightBookedV1(Event):
    """All passengers have a seat on a flight; `reference_id` is the bundle's id."""

    NAME: ClassVar[str] = "FlightBooked_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    flight_id: str
    flight_tickets_ids: list[str]
    reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightBookingFailedV1(Event):
    """A flight has no seats left; `reference_id` is the bundle's id."""

    NAME: ClassVar[str] = "FlightBookingFailed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    flight_id: str
    failure_reason: str
    reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxiBookedV1(Event):
    """A taxi will come; `reference_id` is the bundle's id."""

    NAME: ClassVar[str] = "TaxiBooked_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    taxi_booking_id: str
    reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxiBookingFailedV1(Event):
    """No taxi is to be had; `reference_id` is the bundle's id."""

    NAME: ClassVar[str] = "TaxiBookingFailed_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "reference_id")

    failure_reason: str
    reference_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VipBundleFinalizedV1(Event):
    """A bundle has ended: everything is booked, or everything is being taken back."""

    NAME: ClassVar[str] = "VipBundleFinalized_v1"
    AGGREGATE: ClassVar[tuple[str, str]] = ("vip_bundle", "vip_bundle_id")

    vip_bundle_id: str
    success: bool
