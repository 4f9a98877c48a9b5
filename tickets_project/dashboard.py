"""The first page of the admin: what needs a person, the numbers of the last days, what waits, and who is at work."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from tickets_project.analytics.admin import numbers_section
from tickets_project.analytics.days import day_of
from tickets_project.concerns import concern_sections
from tickets_project.outbox.admin.dashboard import (
    dispatchers_section,
    parked_groups_section,
    parked_section,
    waiting_section,
)


def first_page(request: HttpRequest) -> HttpResponse:
    """Answer with the admin's first page; lead those who see no list there, and only scan, to the door."""
    if request.user.has_perm("bookings.redeem_ticket") and not admin.site.get_app_list(request):
        return redirect("scan")
    return admin.site.index(request)


def show_first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tables that the user may see to the page (unfold's DASHBOARD_CALLBACK)."""
    now = timezone.now()
    sections = concern_sections(request, at=now)
    sees_deliveries = request.user.has_perm("outbox.view_delivery")
    if sees_deliveries and (parked := parked_section()).rows:
        sections += [parked_groups_section(), parked]
    if request.user.has_perm("analytics.view_dailytotal"):
        sections.append(numbers_section(today=day_of(now)))
    if sees_deliveries:
        sections += [waiting_section(), dispatchers_section()]
    return {**context, "sections": sections}
