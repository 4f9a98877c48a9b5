"""The page between choosing a bulk action and doing it: what is chosen, and perhaps why."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

MOST_NAMED = 10


def is_confirmed(request: HttpRequest) -> bool:
    """Tell whether the request comes from the page of ask_to_confirm."""
    return request.POST.get("post") == "yes"


def ask_to_confirm(
    model_admin: Any, request: HttpRequest, rows: QuerySet[Any], *, title: str, asks_for: str = ""
) -> TemplateResponse:
    """Return the page; its form posts the same choice to the same list again, filters included."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.model._meta,  # noqa: SLF001 - Django's documented API
        "count": rows.count(),
        "names": [model_admin.name_of(row) for row in rows[:MOST_NAMED]],
        "asks_for": asks_for,
        "kept": _choice(model_admin, request, rows),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin_site/confirm.html", context)


def _choice(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> list[tuple[str, str]]:
    across = request.POST.get("select_across") == "1"
    # The list takes an action for all of its rows only when some are named.
    named = rows[:MOST_NAMED] if across else rows
    choice = [("action", request.POST["action"]), ("select_across", "1" if across else "0")]
    return choice + [(ACTION_CHECKBOX_NAME, model_admin.handle_of(row)) for row in named]
