"""Tickets printed per second while the files service takes 20 ms, against printing one at a time.

The tickets are confirmed first; the clock runs from the first ticket shown as printed to the last.
"""

import argparse
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from statistics import median
from time import monotonic, sleep
from uuid import uuid4

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from bench.installation import process
from bench.results import Line, keep
from bookings.models import Show, Ticket
from bookings.services import confirm_booking, make_booking, make_show
from printing.models import PrintedTicket
from tickets_project.audit.acts import Act
from tickets_project.outbox.claiming import claim
from tickets_project.outbox.delivering import deliver
from tickets_project.outbox.subscriptions import subscriptions
from tickets_project.values import Money

ONE_AT_A_TIME = 100
PER_BOOKING = 10
MOST_SECONDS = 120


def main() -> None:
    """Measure several runs and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    single = one_at_a_time_per_second()
    rates = [printed_per_second(options.tickets) for _ in range(options.runs)]
    rate = median(rates)
    line = Line(
        what=f"tickets printed per second, {options.tickets} tickets, files service at 20 ms",
        measured=f"{rate:.0f} ({min(rates):.0f} to {max(rates):.0f})",
        against=f"one after the other: {single:.0f}",
        ratio=f"{rate / single:.1f} x",
        target="≥ 300, ≥ 8 x",
        met=rate >= 300 and rate >= 8 * single,
    )
    keep("print_tickets", [line])
    print(line)


def one_at_a_time_per_second() -> float:
    """Return how many deliveries one loop prints and records, each before it claims the next."""
    confirm_tickets(ONE_AT_A_TIME)
    printing = subscriptions().by_key("printing.print_ticket").key
    started = monotonic()
    for _ in range(ONE_AT_A_TIME):
        for one in claim(dispatcher=uuid4(), handlers=[printing], limit=1, lease=timedelta(seconds=30)):
            deliver(one)
    return PrintedTicket.objects.count() / (monotonic() - started)


def printed_per_second(tickets: int) -> float:
    """Confirm the tickets, start the worker, and return the rate at which it prints them."""
    unprinted = confirm_tickets(tickets).filter(printed_at=None)
    with process("run_worker"):
        wait_until(lambda: unprinted.count() < tickets)
        started, left = monotonic(), unprinted.count()
        wait_until(lambda: not unprinted.exists())
        return left / (monotonic() - started)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until it holds.

    :raises TimeoutError: if it does not within two minutes
    """
    deadline = monotonic() + MOST_SECONDS
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError(f"The worker did not print the tickets within {MOST_SECONDS} s.")
        sleep(0.05)


def confirm_tickets(count: int) -> QuerySet[Ticket]:
    """Leave that many tickets to print, and nothing else of what was published before; return them."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE outbox_message CASCADE")
    now = timezone.now()
    staff, _ = User.objects.get_or_create(username="bench", is_staff=True)
    act = Act(at=now, actor=staff, as_staff=True)
    show: Show = make_show(
        act=act,
        title="Bench",
        venue="Here",
        start_time=now + timedelta(days=1),
        number_of_tickets=count,
        price=Money(amount=Decimal(10), currency="EUR"),
    )
    for first in range(0, count, PER_BOOKING):
        booking = make_booking(
            show_id=show.id,
            number_of_tickets=min(PER_BOOKING, count - first),
            customer_email="bench@tickets.example",
            owner=staff,
            act=act,
        )
        confirm_booking(booking_id=booking.id, act=act, payment_id=None)
    return Ticket.objects.filter(booking__show=show)


if __name__ == "__main__":
    main()
