"""List filters whose choices are known beforehand: asking the rows for them is a SELECT DISTINCT."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter


def choice_filter(name: str, choices: Callable[[], list[tuple[str, str]]], narrow: Callable[[str], Q]) -> type[Any]:
    """Return a filter of this name that narrows a list by the chosen value."""

    class ChoiceFilter(DropdownFilter):  # type: ignore[misc] # unfold has no types
        title = parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            del request, model_admin
            return choices()

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            del request
            return queryset.filter(narrow(self.value())) if self.value() else queryset

    return ChoiceFilter
