"""Reads of analytics."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tickets_project.analytics.models import DailyTotal
from tickets_project.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """The numbers of one day: how often each kind happened (0 when it did not), and its worth in each currency."""

    day: date
    counts: Counter[str]
    amounts: Mapping[str, Sequence[Money]]


def totals_of(days: int, *, until: date) -> list[DayTotals]:
    """Return the numbers of so many days, newest first and the last one included; amounts, largest first."""
    wanted = [until - timedelta(days=ago) for ago in range(days)]
    rows: dict[date, list[DailyTotal]] = defaultdict(list)
    for row in DailyTotal.objects.filter(day__range=(wanted[-1], until)).order_by("-amount", "currency"):
        rows[row.day].append(row)
    return [_totals(day, rows[day]) for day in wanted]


def _totals(day: date, rows: list[DailyTotal]) -> DayTotals:
    counts, amounts = Counter[str](), defaultdict[str, list[Money]](list)
    for row in rows:
        counts[row.kind] += row.count
        if row.currency:
            amounts[row.kind].append(Money(amount=row.amount, currency=row.currency))
    return DayTotals(day=day, counts=counts, amounts=amounts)
