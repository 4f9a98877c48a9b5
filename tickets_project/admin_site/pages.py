"""The base classes of all admin pages: lists that stay fast on millions of rows, and pages that only show."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.admin import ShowFacets
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from tickets_project.admin_site.counting import EstimatedPaginator
from tickets_project.admin_site.display import LinkButton, PostButton, Section

NOTHING = Q(pk__in=[])


class FastAdmin(ModelAdmin):  # type: ignore[misc] # unfold has no types
    """Lists 25 rows a page, in an order that an index keeps, and finds by exact values that have an index.

    A subclass with a search box sets `search_fields` and says in `find` what a text means.
    """

    paginator = EstimatedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 25
    list_max_show_all = 25
    sortable_by: Sequence[str] = ()
    list_fullwidth = True
    change_form_outer_before_template = "admin_site/buttons.html"
    change_form_outer_after_template = "admin_site/sections.html"

    def find(self, text: str) -> Q:
        """Return the rows that a search is for."""
        found = uuid_in(text)
        return Q(pk=found) if found else NOTHING

    def name_of(self, row: Any) -> str:
        """Return what a row is called when it is chosen."""
        return str(row)

    def handle_of(self, row: Any) -> str:
        """Return what stands for a row in a form."""
        return str(row.pk)

    def sections(self, row: Any) -> list[Section]:
        """Return the tables under the fields of a detail page."""
        del row
        return []

    def buttons(self, request: HttpRequest, row: Any) -> Sequence[PostButton | LinkButton]:
        """Return what may be done with the row now."""
        del request, row
        return []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Narrow the list to what is searched for: Django's own `__exact` casts an id to text, past its index."""
        del request
        text = search_term.strip()
        return (queryset.filter(self.find(text)) if text else queryset), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the bulk actions without Django's deletion, which loads all that hangs on the rows."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Show the sections and buttons of an existing row with its fields."""
        if obj is not None:
            context |= {"sections": self.sections(obj), "buttons": self.buttons(request, obj)}
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response


class ReadOnlyAdmin(FastAdmin):
    """Shows rows that only the application writes.

    A subclass names in `later` the fields that are shown only once their attribute is set.
    """

    later: Mapping[str, Any] = {}

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Leave out what has not happened."""
        unset = [shown for name, shown in self.later.items() if obj and not getattr(obj, name)]
        return [shown for shown in super().get_fields(request, obj) if shown not in unset]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False


def uuid_in(text: str) -> UUID | None:
    """Return the text as a UUID, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
