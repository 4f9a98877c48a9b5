"""What publish() adds to a transaction that inserts one row, for an event with three subscribers; prints JSON."""

import json
import sys
from statistics import median
from time import perf_counter

import django

django.setup()

from django.db import transaction

from bench.effects import take_effect
from bench.messages import WatchedV1
from tickets_project.outbox.publishing import publish

_WARM_UP = 50


def main() -> None:
    """Measure both kinds of transaction by turns; print the medians in milliseconds."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(int(sys.argv[1]) + _WARM_UP):
        for publishing, measured in times.items():
            measured.append(_milliseconds(number, publishing=publishing))
    alone, published = (median(measured[_WARM_UP:]) for measured in times.values())
    json.dump({"alone": alone, "published": published}, sys.stdout)


def _milliseconds(number: int, *, publishing: bool) -> float:
    started = perf_counter()
    with transaction.atomic():
        take_effect(number)
        if publishing:
            publish(WatchedV1(number=number))
    return 1000 * (perf_counter() - started)


if __name__ == "__main__":
    main()
