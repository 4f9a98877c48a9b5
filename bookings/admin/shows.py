"""Shows and ticket types: put up, and changed as far as that is safe."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bookings.admin.price_forms import PriceForm
from bookings.models import Booking, Show, Ticket, TicketType
from bookings.services import STANDARD, change_show, make_show
from tickets_project.admin_site.display import moment_column
from tickets_project.admin_site.pages import FastAdmin
from tickets_project.audit.admin_acts import staff_act
from tickets_project.values import Money

CHANGEABLE = ["title", "venue", "start_time", "end_time", "doors_time", "number_of_tickets"]


class ShowForm(PriceForm):
    """What staff say of a show; the show that it changes is locked, so that its seats stay as they are."""

    class Meta:
        model = Show
        fields = [*CHANGEABLE, "price_amount", "price_currency", "ticket_type", "dead_nation_id"]
        help_texts = {
            "start_time": f"In {settings.TIME_ZONE}.",
            "end_time": f"In {settings.TIME_ZONE}.",
            "doors_time": f"In {settings.TIME_ZONE}: from when tickets are valid; empty: three hours before the start.",
        }

    def clean_start_time(self) -> Any:
        """Take a time to come for a new show."""
        start_time = self.cleaned_data["start_time"]
        if self.instance._state.adding and start_time <= timezone.now():  # noqa: SLF001 - Django's documented API
            raise ValidationError("Give a time in the future.")
        return start_time

    def clean_number_of_tickets(self) -> int:
        """Take no seat away that is held."""
        seats = int(self.cleaned_data["number_of_tickets"])
        if seats < self.instance.seats_held:
            raise ValidationError(f"{self.instance.seats_held} seats are held already.")
        return seats

    def clean(self) -> dict[str, Any]:
        """Take an end after the start, and doors before it."""
        cleaned = super().clean() or {}
        start, end, doors = (cleaned.get(f"{name}_time") for name in ("start", "end", "doors"))
        if start and end and end <= start:
            self.add_error("end_time", "Give a time after the start.")
        if start and doors and doors > start:
            self.add_error("doors_time", "Give a time before the start.")
        return cleaned


@admin.register(Show)
class ShowAdmin(FastAdmin):
    """What is for sale; price and ticket type stay once it is put up, because bookings were made at them."""

    form = ShowForm
    list_display = ["title", "venue", moment_column("start_time", "start"), "seats_held", "seats_left", "price"]
    search_fields = ["title"]
    search_help_text = "The beginning of the title"
    ordering = ["-start_time", "-id"]
    list_select_related = False

    def find(self, text: str) -> Q:
        """Return the shows whose title begins so; it has an index."""
        return Q(title__istartswith=text)

    def get_fields(self, request: HttpRequest, obj: Show | None = None) -> list[str]:
        """Show what is held of an existing show too."""
        del request
        fields = list(ShowForm.Meta.fields)
        return [*fields, "seats_held", "seats_left"] if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Show | None = None) -> list[str]:
        """Fix what bookings rely on."""
        return [name for name in self.get_fields(request, obj) if name not in CHANGEABLE] if obj else []

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Show | None:
        """Lock the show that a form is posted for, against bookings made meanwhile."""
        show: Show | None = super().get_object(request, object_id, from_field)
        # The history page is posted to without a transaction, and changes nothing.
        if show and request.method == "POST" and connection.in_atomic_block:
            Show.objects.select_for_update().get(pk=show.pk)
            show.refresh_from_db()
        return show

    def formfield_for_foreignkey(self, *args: Any, **kwargs: Any) -> Any:
        """Let the ticket type be left out: then it is the standard one."""
        field = super().formfield_for_foreignkey(*args, **kwargs)
        field.required, field.empty_label = False, f"{STANDARD} (default)"
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Show | None = None) -> bool:
        """Refuse to delete what is booked."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj and Booking.objects.filter(show=obj).exists())

    def save_model(self, request: HttpRequest, obj: Show, form: ShowForm, change: Any) -> None:
        """Put a new show up through its service; of an existing one, write what was changed and nothing else."""
        if change:
            act = staff_act(request, "bookings.change_show")
            said = {name: form.cleaned_data[name] for name in form.changed_data}
            change_show(show_id=obj.pk, act=act, **said)
            self._warn_of_documents(request, obj, form.changed_data)
            return
        said = {**form.cleaned_data, "id": obj.pk}
        price = Money(amount=said.pop("price_amount"), currency=said.pop("price_currency"))
        ticket_type = said.pop("ticket_type")
        act = staff_act(request, "bookings.add_show")
        make_show(act=act, price=price, ticket_type=ticket_type.name if ticket_type else STANDARD, **said)

    def _warn_of_documents(self, request: HttpRequest, show: Show, changed: list[str]) -> None:
        printed = Ticket.objects.filter(booking__show=show, printed_at__isnull=False)
        if set(changed) - {"number_of_tickets", "end_time"} and printed.exists():
            text = "Tickets that are printed already keep what they say: tell their holders."
            self.message_user(request, text, messages.WARNING)


@admin.register(TicketType)
class TicketTypeAdmin(FastAdmin):
    """What a ticket is worth; a type in use is not deleted."""

    list_display = ["name", "activation", "valid_days", "makes_tickets"]
    ordering = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse to delete what a show or a ticket is of."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj and _in_use(obj))


def _in_use(ticket_type: Model) -> bool:
    rows: list[QuerySet[Any]] = [Show.objects.all(), Ticket.objects.all()]
    return any(of_model.filter(ticket_type=ticket_type).exists() for of_model in rows)
