"""How lists are cut into pages that neither repeat nor lose a row while others insert."""

from collections.abc import Sequence
from typing import Any, cast

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView


class StableCursorPagination(CursorPagination):
    """Answers `results`, `next` and `previous`, highest key first unless the view names another `ordering`.

    A page starts behind the last row of the page before it, as told by the columns of the ordering and, where they
    are equal, the primary key. (DRF's own looks at the first column alone and loses rows that share its value.) The
    columns are the model's own and never null. A `page_size` above the maximum is the maximum.
    """

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-pk"

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Return one page.

        :raises ValidationError: if the size is none, or the cursor not one that an earlier page answered
        """
        size = self.get_page_size(request)
        self._columns = _with_key(getattr(view, "ordering", self.ordering))
        self._here = request.build_absolute_uri()
        self._backwards, *self._position = self._cursor(request)
        found = list(self._following(cast("QuerySet[Any]", queryset))[: size + 1])
        self._more = len(found) > size
        self._rows = found[size - 1 :: -1] if self._backwards else found[:size]
        return self._rows

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has.

        :raises ValidationError: if the client asked for something other than a positive number
        """
        text = request.query_params.get("page_size", str(self.page_size))
        if not (text.isascii() and text.isdigit() and text.strip("0")):
            raise ValidationError({"page_size": [f"Give a whole number from 1 to {self.max_page_size}."]})
        return self.max_page_size if len(text) > len(str(self.max_page_size)) else min(int(text), self.max_page_size)

    def get_next_link(self) -> str | None:
        """Return the address of the rows after these."""
        return self._link(self._rows[-1], backwards=False) if self._rows and (self._more or self._backwards) else None

    def get_previous_link(self) -> str | None:
        """Return the address of the rows before these."""
        before = self._more if self._backwards else self._position
        return self._link(self._rows[0], backwards=True) if self._rows and before else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI 3.1 schema of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def _cursor(self, request: Request) -> list[Any]:
        """Return the direction and the row's values behind which the page starts, if it is not the first."""
        text = request.query_params.get("cursor")
        if text is None:
            return [False]
        try:
            return cast("list[Any]", self._signer().unsign_object(text))
        except (BadSignature, ValueError) as error:
            raise ValidationError({"cursor": ["This is not a cursor that an earlier page answered."]}) from error

    def _link(self, row: Model, *, backwards: bool) -> str:
        position = [str(getattr(row, column.lstrip("-"))) for column in self._columns]
        return replace_query_param(self._here, "cursor", self._signer().sign_object([backwards, *position]))

    def _signer(self) -> Signer:
        # Only a cursor of the same ordering has values that fit its columns.
        return Signer(salt=f"cursor {' '.join(self._columns)}")

    def _following(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        columns = [_reversed(column) for column in self._columns] if self._backwards else self._columns
        return queryset.filter(_behind(columns, self._position)).order_by(*columns)


def _with_key(ordering: str | Sequence[str]) -> list[str]:
    columns = [ordering] if isinstance(ordering, str) else list(ordering)
    return columns if columns[-1] in {"pk", "-pk"} else [*columns, "-pk" if columns[-1].startswith("-") else "pk"]


def _reversed(column: str) -> str:
    return column.removeprefix("-") if column.startswith("-") else f"-{column}"


def _behind(columns: Sequence[str], position: Sequence[str]) -> Q:
    """Return the condition of the rows that come after this one, column by column."""
    if not position:
        return Q()
    column, value = columns[0], position[0]
    name, after = column.removeprefix("-"), "lt" if column.startswith("-") else "gt"
    beyond = Q((f"{name}__{after}", value))
    if len(columns) == 1:
        return beyond
    # The bound says nothing new, but PostgreSQL finds the index by it.
    return Q((f"{name}__{after}e", value)) & (beyond | Q((name, value)) & _behind(columns[1:], position[1:]))
