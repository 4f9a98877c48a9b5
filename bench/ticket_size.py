"""What a ticket leaves in the database: rows, bytes and WAL, by table, for docs/operations.md.

The tickets are booked two by two and confirmed over the API, each request with its own Idempotency-Key, and the worker
delivers all that follows. Then each is activated and scanned at the door.

`python -m bench.run ticket_size --tickets 2000`
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import sleep
from typing import Any
from uuid import uuid4

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from bench.installation import process
from tickets_project.outbox.models import Delivery

SEATS = 2
_TABLES = """
    SELECT relname, n_live_tup, pg_relation_size(relid), pg_total_relation_size(relid) - pg_relation_size(relid)
    FROM pg_stat_user_tables ORDER BY relname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One table: rows, and bytes of the rows and of all else, which is its indexes and what is stored out of line."""

    rows: int
    heap: int
    rest: int


def main() -> None:
    """Make the tickets and print what each stage has added."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=2000)
    count = parser.parse_args().tickets
    settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {"user": None, "login": None}
    client = staff_client()
    show = post(client, "shows/", **a_show(count))["show_id"]
    with process("run_worker"):
        tickets = stage(f"{count} tickets booked, confirmed and printed", count, lambda: book(client, show, count))
        stage(f"{count} of them activated and scanned", count, lambda: admit(client, tickets))


def stage(title: str, count: int, work: Callable[[], Any]) -> Any:
    """Do the work, wait until all that follows is delivered, and print what it has added for each ticket."""
    before, written = packed(), wal()
    done = work()
    wait_until_delivered()
    written = wal() - written
    loose, after = sizes(), packed()
    print(f"\n{title}: {written / count / 1024:.1f} KiB of WAL for each")
    for line in table(before, loose, after, count):
        print(line)
    return done


def table(before: dict[str, Size], loose: dict[str, Size], after: dict[str, Size], count: int) -> Iterator[str]:
    """Yield what each table has gained for each ticket, as Markdown."""
    yield "| table | rows | row bytes | index bytes | together | before VACUUM FULL |"
    yield "|---|---:|---:|---:|---:|---:|"
    total = [0.0] * 5
    for name, now in after.items():
        then, unpacked = before[name], loose[name]
        gained = [now.rows - then.rows, now.heap - then.heap, now.rest - then.rest]
        both = [*gained, gained[1] + gained[2], unpacked.heap + unpacked.rest - then.heap - then.rest]
        total = [sum(pair) for pair in zip(total, both, strict=True)]
        if gained[0]:
            yield row(name, both, count)
    yield row("**all**", total, count)


def row(name: str, figures: Sequence[float], count: int) -> str:
    """Return a line of the table."""
    rows, *sizes_ = (figure / count for figure in figures)
    return f"| {name} | {rows:.2f} | " + " | ".join(f"{size:.0f}" for size in sizes_) + " |"


def packed() -> dict[str, Size]:
    """Return the sizes when no room is wasted."""
    ask("VACUUM (FULL, ANALYZE)")
    return sizes()


def sizes() -> dict[str, Size]:
    """Return the sizes as they are."""
    # The numbers of rows come from the statistics.
    ask("ANALYZE")
    return {name: Size(rows=rows, heap=heap, rest=rest) for name, rows, heap, rest in ask(_TABLES)}


def wal() -> int:
    """Return how many bytes of WAL were ever written."""
    return int(ask("SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0])


def ask(sql: str) -> list[Any]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def wait_until_delivered() -> None:
    """Wait until all is delivered.

    :raises RuntimeError: if a delivery is parked, for then this is no measurement
    """
    while Delivery.objects.filter(status="pending").exists():
        sleep(0.2)
    if Delivery.objects.exclude(status="delivered").exists():
        raise RuntimeError("A delivery is parked.")


def staff_client() -> APIClient:
    """Return a client that may do everything."""
    user = User.objects.create_superuser("bench", "bench@tickets.example")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user=user)[1]}", HTTP_HOST="127.0.0.1")
    return client


def a_show(seats: int) -> dict[str, Any]:
    """Return a show whose doors are open."""
    now = timezone.now()
    return {
        "title": "Tosca",
        "venue": "La Scala, Milan",
        "start_time": (now + timedelta(days=1)).isoformat(),
        "doors_time": (now - timedelta(hours=1)).isoformat(),
        "number_of_tickets": seats,
        "price": {"amount": "50.30", "currency": "EUR"},
    }


def book(client: APIClient, show: str, count: int) -> list[str]:
    """Book and confirm that many tickets; return their ids."""
    tickets = []
    for _ in range(count // SEATS):
        booking = post(client, "bookings/", show_id=show, number_of_tickets=SEATS)["booking_id"]
        confirmed = post(client, f"bookings/{booking}/confirm/", payment_id=f"pay-{booking}")["data"]
        tickets += [ticket["ticket_id"] for ticket in confirmed["tickets"]]
    return tickets


def admit(client: APIClient, tickets: list[str]) -> None:
    """Activate and scan each ticket."""
    for ticket in tickets:
        code = post(client, f"admin/tickets/{ticket}/activate/")["data"]["redemption_code"]
        post(client, "admin/tickets/redeem/", redemption_code=code, location="Gate B", nonce=str(uuid4()))


def post(client: APIClient, path: str, **body: Any) -> Any:
    """Post under a key of its own and return the answer.

    :raises RuntimeError: if it is refused
    """
    response = client.post(f"/api/v1/{path}", body, headers={"Idempotency-Key": str(uuid4())})
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise RuntimeError(f"{path}: {response.content!r}")
    return response.json()


if __name__ == "__main__":
    main()
