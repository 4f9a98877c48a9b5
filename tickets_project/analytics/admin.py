"""The numbers in the admin: the last days on its first page, and every total to be read."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from tickets_project.admin_site.display import Section, unbroken
from tickets_project.admin_site.pages import ReadOnlyAdmin
from tickets_project.analytics.models import DailyTotal, Kind
from tickets_project.analytics.queries import DayTotals, totals_of
from tickets_project.values import Money

DAYS = 7
COUNTED = (Kind.BOOKED, Kind.CONFIRMED, Kind.CANCELLED, Kind.NO_SHOW, Kind.PRINTED, Kind.REDEEMED, Kind.REFUNDED)
PAID = {Kind.REVENUE: "revenue", Kind.REFUNDED: "refunded amount"}


@admin.register(DailyTotal)
class DailyTotalAdmin(ReadOnlyAdmin):
    """One row per day, kind and currency, newest day first."""

    list_display = ["day", "kind", "currency", "count", "amount"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    # Backwards through the index of the constraint.
    ordering = ["-day", "-kind", "-currency"]
    fields = ["day", "kind", "currency", "count", "amount"]


def numbers_section(*, today: date) -> Section:
    """Return the last seven days as a table of the admin's first page; revenue is what was sold, before refunds."""
    return Section(
        title=f"The last {DAYS} days",
        headers=["day", *(kind.replace("_", "-") for kind in COUNTED), *PAID.values()],
        rows=[_row(totals) for totals in totals_of(DAYS, until=today)],
        note=f"Days begin at midnight in {settings.TICKETS_TIME_ZONE}. Refunds are not taken off the revenue.",
    )


def _row(totals: DayTotals) -> list[object]:
    counts = (totals.counts[kind] for kind in COUNTED)
    amounts = (unbroken(_sum(totals.amounts.get(kind, ()))) for kind in PAID)
    return [unbroken(totals.day.isoformat()), *counts, *amounts]


def _sum(amounts: Sequence[Money]) -> str:
    """Return what was paid in each currency."""
    return "; ".join(f"{money.amount:,.2f} {money.currency}" for money in amounts) or "-"
