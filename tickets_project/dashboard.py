"""The first page of the admin: the numbers of the last days, what needs a person, and what waits."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from tickets_project.analytics.admin import numbers_section
from tickets_project.analytics.days import day_of
from tickets_project.outbox.admin.dashboard import show_what_waits


def show_first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tables to the page (unfold's DASHBOARD_CALLBACK)."""
    context = show_what_waits(request, context)
    if not request.user.has_perm("analytics.view_dailytotal"):
        return context
    sections = [*context.get("sections", []), numbers_section(today=day_of(timezone.now()))]
    return {**context, "sections": sections}
