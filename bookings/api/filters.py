"""The filters of the lists."""

from datetime import date

from django.core.validators import MaxValueValidator
from django.db.models import QuerySet
from django_filters import rest_framework as filters

from bookings import queries
from bookings.models import Booking, BookingStatus, OpsBooking, TicketStatus
from bookings.ops_queries import with_receipt_issued_on
from tickets_project.api.filters import InstantFilter

# The day after it is in the calendar, too.
LAST_DAY = date(9999, 12, 30)
ABOUT_THE_DAY = (
    "Bookings with a ticket whose receipt was issued on this day, as in 2026-05-02. A day begins at midnight in the "
    "time zone that tickets show (the setting TICKETS_TIME_ZONE, UTC by default), whereas the answered times are UTC."
)


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


class OpsBookingFilter(filters.FilterSet):
    """By the day of a receipt."""

    receipt_issue_date = filters.DateFilter(
        method="narrow", input_formats=["%Y-%m-%d"], validators=[MaxValueValidator(LAST_DAY)], help_text=ABOUT_THE_DAY
    )

    def narrow(self, bookings: QuerySet[OpsBooking], name: str, day: date) -> QuerySet[OpsBooking]:
        """Narrow the list to the day."""
        del name
        return with_receipt_issued_on(bookings, day)
