"""VIP bundles of a journey: asked for over HTTP, and judged by what the gateway has of them in the end."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import requests

from bookings.models import Booking, Show, Ticket
from tests.journeys.conftest import Site
from tickets_project.gateway.simulator.server import Simulator
from tickets_project.outbox.models import Delivery, Message, Status
from vip_bundles.facts import ENDED
from vip_bundles.models import VipBundle

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a customer wants; the flights are the customer's own, so that their seats can be set beforehand."""

    show_id: str
    tickets: int = 3
    inbound: str
    homeward: str | None
    taxi: bool

    @property
    def flights(self) -> dict[str, str]:
        """Return the flights by what ends each one's key."""
        return {"inbound": self.inbound} | ({"return": self.homeward} if self.homeward else {})


def wish(show_id: str, *, return_flight: bool = True, taxi: bool = True) -> Wish:
    return Wish(show_id=show_id, inbound=str(uuid4()), homeward=str(uuid4()) if return_flight else None, taxi=taxi)


def ask(customer: Site, wanted: Wish) -> str:
    """Ask for a bundle; return its id."""
    homeward: dict[str, Any] = {"return_flight_id": wanted.homeward} if wanted.homeward else {}
    answer = customer.post(
        "/vip-bundles/",
        show_id=wanted.show_id,
        number_of_tickets=wanted.tickets,
        passengers=[f"Passenger {number}" for number in range(1, wanted.tickets + 1)],
        inbound_flight_id=wanted.inbound,
        wants_taxi=wanted.taxi,
        **homeward,
    )
    return str(answer["vip_bundle_id"])


class Gateway:
    """What the simulated services have; they judge what was really booked, refunded and stored."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        self._url, self._http = simulator.url, http

    def set_seats(self, flight_id: str, seats: int) -> None:
        assert self._http.put(f"{self._url}/_simulator/flights/{flight_id}", json={"seats": seats}).status_code == 200

    def set_taxis(self, available: int | None) -> None:
        assert self._http.put(f"{self._url}/_simulator/taxis", json={"available": available}).status_code == 200

    def fault(self, operation: str, count: int = 1, **fields: object) -> None:
        """Have the next calls suffer this."""
        body = {"operation": operation, "count": count, **fields}
        assert self._http.post(f"{self._url}/_simulator/faults", json=body).status_code == 201

    def behave(self) -> None:
        """End all faults."""
        assert self._http.delete(f"{self._url}/_simulator/faults").status_code == 204

    def faults_left(self) -> int:
        return len(self._listed("_simulator/faults")["faults"])

    def flights_of(self, bundle: VipBundle) -> Rows:
        return [row for row in self._listed("transportation-api/flight-tickets") if _is_of(bundle, row)]

    def taxis_of(self, bundle: VipBundle) -> Rows:
        return [row for row in self._listed("transportation-api/taxi-booking") if _is_of(bundle, row)]

    def refunds(self) -> Counter[str]:
        """Return how often each ticket was paid back."""
        return Counter(row["payment_reference"] for row in self._listed("payments-api/refunds"))

    def receipts_of(self, tickets: set[str]) -> Rows:
        return [row for row in self._listed("receipts-api/receipts") if row["ticket_id"] in tickets]

    def files(self) -> set[str]:
        return set(self._listed("files-api/files")["files"])

    def calls(self, operation: str) -> Rows:
        return list(self._listed(f"_simulator/calls?operation={operation}")["calls"])

    def _listed(self, path: str) -> Any:
        return self._http.get(f"{self._url}/{path}").json()


class StillGateway(Gateway):
    """The same when nothing happens any more: it asks once for each list."""

    def __init__(self, simulator: Simulator, http: requests.Session) -> None:
        super().__init__(simulator, http)
        self._lists: dict[str, Any] = {}

    def _listed(self, path: str) -> Any:
        if path not in self._lists:
            self._lists[path] = super()._listed(path)
        return self._lists[path]


def _is_of(bundle: VipBundle, row: dict[str, Any]) -> bool:
    return bool(row["reference_id"] == str(bundle.id))


def the(bundle_id: str | UUID) -> VipBundle:
    return VipBundle.objects.get(id=bundle_id)


def all_ended() -> bool:
    return not VipBundle.objects.exclude(state__in=ENDED).exists()


def all_done() -> bool:
    """Tell whether nothing is left to deliver, and nothing was given up."""
    return all_ended() and not Delivery.objects.exclude(status=Status.DELIVERED).exists()


def tickets_of(bundle: VipBundle) -> set[str]:
    return {str(key) for key in Ticket.objects.filter(booking_id=bundle.booking_id).values_list("id", flat=True)}


def commands_of(bundle: VipBundle) -> Counter[str]:
    """Return how many commands of each name were sent about the bundle, its booking and its tickets."""
    about = [str(bundle.id), str(bundle.booking_id), *tickets_of(bundle)]
    return Counter(Message.objects.filter(kind="command", aggregateid__in=about).values_list("type", flat=True))


def seats_held(bundle: VipBundle) -> int:
    return Show.objects.get(id=bundle.show_id).seats_held


def assert_told_once(bundle: VipBundle, *, success: bool) -> None:
    """It has ended, once, and whoever listens was told so once."""
    assert bundle.state == ("finalized" if success else "failed"), bundle.failure_reason
    told = Message.objects.filter(type="VipBundleFinalized_v1", aggregateid=str(bundle.id))
    assert [message.payload["success"] for message in told] == [success]


def assert_one_booking_per_leg(bundle: VipBundle, gateway: Gateway, *legs: str) -> None:
    """The service has as many flight tickets as passengers under the key of each of these legs, and no others."""
    booked = Counter(row["idempotency_key"] for row in gateway.flights_of(bundle))
    assert booked == {f"{bundle.id}:{leg}": bundle.number_of_tickets for leg in legs}


def assert_booked(bundle: VipBundle, gateway: Gateway) -> None:
    """All that was wanted is booked once, and nothing was taken back."""
    assert_told_once(bundle, success=True)
    assert_one_booking_per_leg(bundle, gateway, "inbound", *(["return"] if bundle.return_flight_id else []))
    assert [row["idempotency_key"] for row in gateway.taxis_of(bundle)] == [f"{bundle.id}:taxi"] * bundle.wants_taxi
    assert not any(row["cancelled"] for row in (*gateway.flights_of(bundle), *gateway.taxis_of(bundle)))
    tickets = tickets_of(bundle)
    assert len(tickets) == bundle.number_of_tickets
    assert not tickets & set(gateway.refunds())
    assert sorted(row["ticket_id"] for row in gateway.receipts_of(tickets)) == sorted(tickets)
    assert not any(row["voided"] for row in gateway.receipts_of(tickets))
    assert_printed(tickets, gateway)


def assert_taken_back(bundle: VipBundle, gateway: Gateway) -> None:
    """It has failed, once; nothing is left booked, each ticket is cancelled and paid back once, no receipt is valid."""
    assert_told_once(bundle, success=False)
    assert not Booking.objects.filter(id=bundle.booking_id, seats_held__gt=0).exists()
    assert all(row["cancelled"] for row in (*gateway.flights_of(bundle), *gateway.taxis_of(bundle)))
    tickets = tickets_of(bundle)
    assert {ticket.status for ticket in Ticket.objects.filter(id__in=tickets)} <= {"cancelled"}
    refunds = gateway.refunds()
    assert {key: refunds[key] for key in tickets} == dict.fromkeys(tickets, 1)
    told = Message.objects.filter(type="TicketRefunded_v1", aggregateid__in=tickets)
    assert sorted(told.values_list("aggregateid", flat=True)) == sorted(tickets)
    assert_voided_first(tickets, gateway)


def assert_voided_first(tickets: set[str], gateway: Gateway) -> None:
    """Each receipt is void, and was before its ticket's money went back."""
    refunded = {row["idempotency_key"]: row["at"] for row in reversed(gateway.calls("payments.refund"))}
    voided = {
        row["idempotency_key"]: row["at"] for row in reversed(gateway.calls("receipts.void")) if row["status"] == 200
    }
    receipts = gateway.receipts_of(tickets)
    assert all(row["voided"] for row in receipts)
    assert len({row["ticket_id"] for row in receipts}) == len(receipts)
    for row in receipts:
        assert voided[f"{row['ticket_id']}:void"] < refunded[f"{row['ticket_id']}:refund"]


def assert_printed(tickets: set[str], gateway: Gateway) -> None:
    assert {f"{ticket}-ticket.html" for ticket in tickets} <= gateway.files()
