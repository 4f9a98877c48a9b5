"""How lists are cut into pages that neither repeat nor lose a row while others insert."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class StableCursorPagination(CursorPagination):
    """Answers `results`, `next` and `previous`, newest first unless the view names another `ordering`.

    An ordering must end in a unique column, as in `("-created_at", "pk")`. A `page_size` above the maximum is the
    maximum.
    """

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-pk"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        """Return the view's ordering, else ours."""
        ordering: str | tuple[str, ...] | None = getattr(view, "ordering", None)
        if ordering is None:
            return super().get_ordering(request, queryset, view)
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has.

        :raises ValidationError: if the client asked for something other than a positive number
        """
        text = request.query_params.get("page_size", str(self.page_size))
        if not (text.isascii() and text.isdigit() and text.strip("0")):
            raise ValidationError({"page_size": [f"Give a whole number from 1 to {self.max_page_size}."]})
        return self.max_page_size if len(text) > len(str(self.max_page_size)) else min(int(text), self.max_page_size)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return one page.

        :raises ValidationError: if the cursor is not one that an earlier page answered
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, InvalidValue, ValueError) as error:
            if "cursor" not in request.query_params:
                raise
            raise ValidationError({"cursor": ["This is not a cursor that an earlier page answered."]}) from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI 3.1 schema of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }
