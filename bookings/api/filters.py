"""The filters of the lists."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from bookings import queries
from bookings.models import Booking, BookingStatus, TicketStatus
from tickets_project.api.filters import InstantFilter


class BookingFilter(filters.FilterSet):
    """By state, by the show's start, and by what a customer can quote."""

    status = filters.ChoiceFilter(choices=BookingStatus.choices)
    # `from` is a word of Python's own.
    vars()["from"] = InstantFilter(field_name="start_time", lookup_expr="gte")
    to = InstantFilter(field_name="start_time", lookup_expr="lte")
    search = filters.CharFilter(
        method="find", help_text="A confirmation code, an e-mail address, or how a title begins."
    )

    def find(self, bookings: QuerySet[Booking], name: str, text: str) -> QuerySet[Booking]:
        """Narrow the list to what fits the text."""
        del name
        return queries.search_bookings(bookings, text)


class TicketFilter(filters.FilterSet):
    """By state and by whether it is printed."""

    status = filters.ChoiceFilter(choices=TicketStatus.choices)
    printed = filters.BooleanFilter(field_name="printed_at", lookup_expr="isnull", exclude=True)
    booking = filters.UUIDFilter(field_name="booking_id")
