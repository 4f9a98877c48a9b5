"""Who comes to the server in the benchmark of serving: each client has an account of its own, as people have."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from django.utils import timezone
from knox.models import AuthToken

from bench.clients import Ask, Client, UnexpectedAnswer
from bookings.models import Booking, Show, Ticket, TicketStatus
from bookings.services import make_booking, make_show
from tickets_project.audit.acts import Act
from tickets_project.values import Money

CLIENTS = 8
SEATS = 1_000_000
TICKETS = 8_000
"""More than are scanned in a round."""

Visitors = Callable[[int], list[Ask]]
"""Make the clients of a server at this port, and what each asks."""


def passers_by(port: int) -> list[Ask]:
    """Ask whether the server lives, which takes neither an account nor the database."""
    return [partial(Client(port).get, "/health/live") for _ in range(CLIENTS)]


def customers(port: int) -> list[Ask]:
    """Book a seat of the one show, without end."""
    show = a_show()
    return [partial(_book, Client(port, **_token(_account())), show) for _ in range(CLIENTS)]


def scanners(port: int) -> list[Ask]:
    """Scan tickets of a show, as an app of a scanner does."""
    codes = _codes()
    return [partial(_scan, Client(port, **_token(_doorkeeper())), codes) for _ in range(CLIENTS)]


def doorkeepers(port: int) -> list[Ask]:
    """Scan them on the page of the admin, as its script does."""
    codes = _codes()
    return [_at_the_page(port, codes) for _ in range(CLIENTS)]


def a_show() -> Show:
    """Put up a show that is not soon sold out."""
    now = timezone.now()
    return make_show(
        act=Act(at=now),
        title="Bench",
        venue="Here",
        start_time=now + timedelta(hours=1),
        number_of_tickets=SEATS,
        price=Money(amount=Decimal(10), currency="EUR"),
    )


def _book(client: Client, show: Show) -> None:
    body = {"show_id": str(show.id), "number_of_tickets": 1}
    client.post_json("/api/v1/bookings/", body, status=HTTPStatus.CREATED)


def _scan(client: Client, codes: Iterator[str]) -> None:
    body = {"redemption_code": next(codes), "location": "Gate B", "nonce": uuid4().hex}
    client.post_json("/api/v1/admin/tickets/redeem/", body, status=HTTPStatus.OK)


def _at_the_page(port: int, codes: Iterator[str]) -> Ask:
    browser, token = Browser(), uuid4().hex
    browser.force_login(_doorkeeper())
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}"
    client = Client(port, **{"Cookie": cookies, "X-Requested-With": "scan.js"})
    return partial(_scan_at_the_page, client, token, codes)


def _scan_at_the_page(client: Client, token: str, codes: Iterator[str]) -> None:
    fields = {"csrfmiddlewaretoken": token, "nonce": uuid4().hex, "code": next(codes), "location": "Gate B"}
    answer = client.post_form("/admin/scan/", fields)
    if b"ADMIT" not in answer:
        raise UnexpectedAnswer(answer.decode())


def _codes() -> Iterator[str]:
    """Return the codes of active tickets of a show whose doors are open; the next one is nobody else's."""
    now, owner = timezone.now(), _account()
    booking: Booking = make_booking(
        show_id=a_show().id,
        number_of_tickets=1,
        customer_email=owner.email,
        owner=owner,
        act=Act(at=now, actor=owner),
    )
    valid = {"valid_from": booking.valid_from, "valid_until": booking.over_at}
    tickets = [
        Ticket.of(booking, status=TicketStatus.ACTIVE, created_at=now, activated_at=now, **valid)
        for _ in range(TICKETS)
    ]
    return iter([ticket.redemption_code for ticket in Ticket.objects.bulk_create(tickets, batch_size=1000)])


def _account(*, is_staff: bool = False) -> User:
    name = uuid4().hex
    return User.objects.create(username=name, email=f"{name}@tickets.example", is_staff=is_staff)


def _doorkeeper() -> User:
    user = _account(is_staff=True)
    user.groups.add(Group.objects.get(name="door"))
    return user


def _token(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {AuthToken.objects.create(user=user)[1]}"}
