"""The filters of the list."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.exceptions import PermissionDenied

from tickets_project.api.filters import InstantFilter
from tickets_project.api.requests import authenticated_user
from vip_bundles.models import STATES, VipBundle
from vip_bundles.queries import sees_all

_TRUTHS = [("true", "true"), ("false", "false")]


class BundleFilter(filters.FilterSet):
    """By state, by when they were made, and for staff by whether they are stuck."""

    state = filters.ChoiceFilter(choices=STATES)
    # `from` is a word of Python's own.
    vars()["from"] = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="Made then or later.")
    to = InstantFilter(field_name="created_at", lookup_expr="lte", help_text="Made then or earlier.")
    stuck = filters.ChoiceFilter(
        method="narrow", choices=_TRUTHS, help_text="For staff: those that have not ended in time, or all the others."
    )

    def narrow(self, bundles: QuerySet[VipBundle], name: str, truth: str) -> QuerySet[VipBundle]:
        """Narrow the list to those that are stuck, or that are not.

        :raises PermissionDenied: if the caller is not staff who may see all bundles
        """
        del name
        if not sees_all(authenticated_user(self.request)):
            raise PermissionDenied
        return bundles.filter(stuck_at__isnull=truth == "false")
