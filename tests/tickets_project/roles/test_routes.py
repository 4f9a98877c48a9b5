"""What each role may and may not do over HTTP: every route for staff, for every role."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import get_resolver
from rest_framework.test import APIClient

from bookings.models import Booking, OpsBooking, Refund, Resource, Scan, Show, Ticket
from tests.bookings.tickets import active_ticket, pending_ticket, scanned
from tests.factories import (
    NOON,
    ShowFactory,
    StaffFactory,
    UserFactory,
    confirmed_booking,
    made_bundle,
    pending_booking,
)
from tests.tickets_project.api.clients import with_token
from vip_bundles.models import VipBundle

pytestmark = pytest.mark.django_db

V1 = "/api/v1/"
CALLERS = {"ops", "box office", "door", "finance", "no role", "customer"}
READERS = {"ops", "box office", "finance"}
SELLERS = {"ops", "box office"}
DONE = {200, 201, 202}
SHOW = {
    "title": "Carmen",
    "venue": "Teatro Real",
    "start_time": "2126-05-02T20:00:00Z",
    "number_of_tickets": 10,
    "price": {"amount": "50.30", "currency": "EUR"},
}
ROOM = {
    "type": "room",
    "name": "Studio",
    "opening_hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}],
    "price": {"amount": "5.00", "currency": "EUR"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route about other people's things, and who may; the others get the refusal's status."""

    method: str
    path: str
    may: set[str]
    refusal: int
    body: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def call(self, client: APIClient, things: dict[str, str]) -> int:
        """Ask as the client; return the answer's status."""
        body = {name: value.format(**things) if isinstance(value, str) else value for name, value in self.body.items()}
        return int(getattr(client, self.method)(V1 + self.path.format(**things), body).status_code)


def get(path: str, may: set[str], refusal: int) -> Route:
    return Route(method="get", path=path, may=may, refusal=refusal)


def post(path: str, may: set[str], refusal: int, **body: Any) -> Route:
    return Route(method="post", path=path, may=may, refusal=refusal, body=body)


# 403 where the route is for staff alone; 404 where it is for owners too, who are not told of other people's things.
ROUTES = [
    post("shows/", {"ops"}, 403, **SHOW),
    get("shows/{show}/", CALLERS, 403),
    post("resources/", {"ops"}, 403, **ROOM),
    get("bookings/{booking}/", READERS, 404),
    post("bookings/{pending}/confirm/", SELLERS, 404),
    get("bookings/{booking}/cancel/", SELLERS, 404),
    post("bookings/{booking}/cancel/", SELLERS, 404),
    post("bookings/{booking}/complete/", SELLERS, 403),
    post("bookings/{booking}/no-show/", SELLERS, 403),
    get("ops/bookings/", {"ops", "finance"}, 403),
    get("ops/bookings/{seen}/", {"ops", "finance"}, 403),
    get("tickets/{ticket}/", READERS, 404),
    get("tickets/{ticket}/qr.svg", READERS, 404),
    get("tickets/{ticket}/scans/", READERS, 403),
    post("tickets/{ticket}/activate/", set(), 404, activation_code="{activation_code}"),
    post("tickets/{ticket}/refund/", {"ops", "finance"}, 404),
    post("admin/tickets/{ticket}/activate/", SELLERS, 403),
    post("admin/tickets/redeem/", {"ops", "door"}, 403, redemption_code="{code}"),
    post("admin/tickets/scans/{scan}/undo/", {"ops"}, 403),
    get("vip-bundles/{bundle}/", READERS, 404),
    post("vip-bundles/{bundle}/retry/", {"ops"}, 403, reason="Nothing came."),
    post("vip-bundles/{bundle}/rollback/", {"ops"}, 403, reason="Nothing came."),
]
ALLOWED = [(route, name) for route in ROUTES for name in sorted(route.may)]


@pytest.fixture
def things() -> dict[str, str]:
    """Return what the routes are about, all of it other people's."""
    ticket = pending_ticket()
    found = {
        "show": ShowFactory.create().id,
        "pending": pending_booking().id,
        "booking": confirmed_booking().id,
        "seen": OpsBooking.objects.create(booking_id=uuid4(), booked_at=NOON).booking_id,
        "ticket": ticket.id,
        "activation_code": ticket.activation_code,
        "scan": scanned(active_ticket()).id,
        "code": active_ticket().redemption_code,
        "bundle": made_bundle().id,
    }
    return {name: str(value) for name, value in found.items()}


def caller(name: str) -> APIClient:
    if name == "customer":
        return with_token(UserFactory.create())
    return with_token(StaffFactory.create(role="" if name == "no role" else name))


def state() -> list[Any]:
    """Return what a refused request must not change."""
    rows = [model.objects.order_by("id").values_list("id", "status") for model in (Booking, Ticket)]
    undone = Scan.objects.order_by("id").values_list("id", "undone_at")
    bundles = VipBundle.objects.order_by("id").values_list("id", "state", "deadline_at")
    return [
        *map(list, rows),
        list(undone),
        list(bundles),
        [model.objects.count() for model in (Show, Resource, Refund)],
    ]


def routes_for_staff() -> Iterator[tuple[str, str]]:
    """Return the method and the address, of something that does not exist, of every route that takes a permission."""
    root: Any = get_resolver()
    included = [each.url_patterns for each in root.url_patterns if str(each.pattern) == "api/v1/"]
    for pattern in chain(*included):
        view = getattr(pattern.callback, "cls", None)
        kinds = {kind.__name__ for kind in getattr(view, "permission_classes", ())}
        methods = {"StaffWith": {"get", "post", "put", "patch", "delete"}, "StaffWriteWith": {"post"}}
        for kind in kinds & methods.keys():
            for method in sorted(methods[kind] & set(dir(view))):
                yield method, V1 + address(str(pattern.pattern))


def address(pattern: str) -> str:
    """Return the pattern with ids in the places of its parameters."""
    head, _, rest = pattern.partition("<")
    return f"{head}{uuid4()}{address(rest.partition('>')[2])}" if rest else head


class TestRoles:
    @pytest.mark.parametrize(("route", "name"), ALLOWED, ids=[f"{route} {name}" for route, name in ALLOWED])
    def test_may(self, things: dict[str, str], route: Route, name: str) -> None:
        assert route.call(caller(name), things) in DONE

    @pytest.mark.parametrize("route", ROUTES, ids=str)
    def test_may_not(self, things: dict[str, str], route: Route) -> None:
        before = state()
        for name in CALLERS - route.may:
            assert (name, route.call(caller(name), things)) == (name, route.refusal)
        assert route.call(APIClient(), things) == 401
        assert state() == before

    @pytest.mark.parametrize("name", ["no role", "customer"])
    def test_are_needed_on_every_route_for_staff(self, name: str) -> None:
        """Those that are not in the table, too."""
        client = caller(name)
        found = list(routes_for_staff())
        assert len(found) >= len([route for route in ROUTES if route.refusal == 403 and route.may != CALLERS])
        for method, url in found:
            assert (url, getattr(client, method)(url).status_code) == (url, 403)

    def test_make_nobody_staff_who_is_not(self, things: dict[str, str]) -> None:
        """A customer with permissions stays a customer."""
        eve = UserFactory.create(is_superuser=True)
        eve.user_permissions.set(Permission.objects.all())
        for route in ROUTES:
            if route.may != CALLERS:
                assert (str(route), route.call(with_token(eve), things)) == (str(route), route.refusal)

    def test_end_with_the_account(self, things: dict[str, str]) -> None:
        ann = StaffFactory.create()
        client = with_token(ann)
        User.objects.filter(pk=ann.pk).update(is_active=False)
        for route in ROUTES:
            assert route.call(client, things) == 401
