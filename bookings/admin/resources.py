"""Resources and their opening hours: put up, and changed as far as bookings allow."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from bookings.admin.price_forms import PriceForm
from bookings.models import Booking, OpeningHours, Resource
from bookings.services import change_resource, make_resource
from bookings.services.resources import Hours
from tickets_project.admin_site.display import column
from tickets_project.admin_site.pages import FastAdmin
from tickets_project.audit.admin_acts import staff_act
from tickets_project.values import Money

FIXED_ONCE_BOOKED = ["type", "price_amount", "price_currency", "ticket_type"]


class ResourceForm(PriceForm):
    """What staff say of a resource; its price is for an hour."""

    class Meta:
        model = Resource
        fields = ["type", "name", "location", "price_amount", "price_currency", "ticket_type"]
        labels = {"price_amount": "Price of an hour"}


class HoursForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """One opening; it ends at midnight at the latest."""

    class Meta:
        model = OpeningHours
        fields = ["weekday", "opens", "closes"]

    def clean(self) -> dict[str, Any]:
        """Take a closing after the opening."""
        cleaned = super().clean() or {}
        opens, closes = cleaned.get("opens"), cleaned.get("closes")
        if opens is not None and closes is not None and closes <= opens and closes != time():
            self.add_error("closes", "Give a time after the opening; 00:00 is the end of the day.")
        return cleaned


class HoursFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # likewise
    """The openings of a week: one at least, and none twice, which the database would refuse without a word."""

    def clean(self) -> None:
        """Take openings that make sense together."""
        super().clean()
        if any(self.errors):
            return
        openings = [(weekday, opens) for weekday, opens, _ in self.hours()]
        if not openings:
            raise ValidationError("Give one opening at least: without any it is never open.")
        if len(set(openings)) < len(openings):
            raise ValidationError("Two of them open at the same time of the same day.")

    def hours(self) -> list[Hours]:
        """Return the openings that are to be."""
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and form not in self.deleted_forms]
        return [(said["weekday"], said["opens"], said["closes"]) for said in kept if "opens" in said]


class HoursInline(TabularInline):
    """When it may be booked."""

    model = OpeningHours
    form, formset = HoursForm, HoursFormSet
    extra, min_num = 0, 1
    hide_title = True
    verbose_name = "opening"
    verbose_name_plural = f"opening hours (in {settings.TICKETS_TIME_ZONE}; a closing time of 00:00 is midnight)"


@admin.register(Resource)
class ResourceAdmin(FastAdmin):
    """What is booked for a time; its type and price stay once it is booked, because bookings were made at them."""

    form = ResourceForm
    inlines = [HoursInline]
    list_display = ["name", "type", "location", column("price of an hour", lambda row: row.price), "ticket_type"]
    list_filter = [("type", ChoicesDropdownFilter)]
    list_select_related = ["ticket_type"]
    search_fields = ["name"]
    search_help_text = "The name"
    ordering = ["name", "id"]

    def find(self, text: str) -> Q:
        """Return the resources of this name; it has an index."""
        return Q(name=text)

    def get_readonly_fields(self, request: HttpRequest, obj: Resource | None = None) -> Sequence[str]:
        """Fix what bookings rely on."""
        del request
        return FIXED_ONCE_BOOKED if obj and _is_booked(obj) else []

    def has_delete_permission(self, request: HttpRequest, obj: Resource | None = None) -> bool:
        """Refuse to delete what is booked."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and not (obj and _is_booked(obj))

    def save_model(self, request: HttpRequest, obj: Resource, form: ResourceForm, change: Any) -> None:
        """Leave it to save_related, which knows the opening hours."""

    def save_related(self, request: HttpRequest, form: ResourceForm, formsets: Any, change: Any) -> None:
        """Put a new resource up, or change an existing one, through its service."""
        [hours] = formsets
        hours.save(commit=False)  # tells the admin's own history what is new
        if change:
            act = staff_act(request, "bookings.change_resource")
            said = {name: form.cleaned_data[name] for name in form.changed_data}
            openings = hours.hours() if hours.has_changed() else None
            change_resource(resource_id=form.instance.pk, act=act, opening_hours=openings, **said)
            return
        said = {**form.cleaned_data, "id": form.instance.pk}
        price = Money(amount=said.pop("price_amount"), currency=said.pop("price_currency"))
        kind = said.pop("ticket_type")
        act = staff_act(request, "bookings.add_resource")
        name = kind.name if kind else None
        make_resource(act=act, price=price, opening_hours=hours.hours(), ticket_type=name, **said)


def _is_booked(resource: Resource) -> bool:
    return Booking.objects.filter(resource=resource).exists()
