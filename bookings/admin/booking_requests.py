"""What staff ask of a booking on its page: confirm, cancel, complete, no-show."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from bookings import services
from bookings.models import Booking, BookingStatus, TicketStatus
from bookings.services.refund_rows import currency_of, refundable
from bookings.signals import booking_cancellation_requested, booking_confirmation_requested
from tickets_project.admin_site.asking import Question, ReasonForm, ask_first
from tickets_project.admin_site.display import LinkButton, PostButton, day_and_time
from tickets_project.admin_site.pages import ReadOnlyAdmin
from tickets_project.admin_site.requests import require
from tickets_project.audit.acts import Act
from tickets_project.audit.admin_acts import attempt, staff_act, tell
from tickets_project.event_result import EventResult, ask
from tickets_project.refusals import DomainError
from tickets_project.values import Money

CHANGE = "bookings.change_booking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How staff end a booking: the use case, what is asked first, and what is said afterwards."""

    end: Callable[..., Booking]
    label: str
    tells: str
    done: str


ENDINGS = {
    "complete": Ending(
        end=services.complete_booking, label="Complete", tells="It took place. This is final.", done="Completed."
    ),
    "no_show": Ending(
        end=services.mark_no_show,
        label="No-show",
        tells="Nobody came. This is final, and nothing is paid back.",
        done="Noted as a no-show.",
    ),
}


class CancellationForm(ReasonForm):
    """Why, and how much is paid back; left out, the policy says."""

    amount = forms.DecimalField(
        label="Pay back",
        min_value=0,
        max_digits=14,
        decimal_places=2,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="What the tickets cost is paid by the payments service; any other amount is for a person to pay.",
    )

    def __init__(self, *arguments: Any, most: Money, **options: Any) -> None:
        """Take the most that can be paid back; when that is nothing, no amount is asked for."""
        super().__init__(*arguments, **options)
        self.most = most
        if most.amount > 0:
            self.fields["amount"].label = f"Pay back, in {most.currency}"
        else:
            del self.fields["amount"]

    def clean_amount(self) -> Decimal | None:
        """Take no more than was paid."""
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is not None and amount > self.most.amount:
            raise forms.ValidationError(f"At most {self.most} can be paid back.")
        return amount


class BookingRequests(ReadOnlyAdmin):
    """The buttons on a booking's page and what they do, for those with `bookings.change_booking`."""

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that take the requests."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:booking_id>/confirm/", wrap(require_POST(self.confirm_view)), name="bookings_booking_confirm"),
            path("<uuid:booking_id>/cancel/", wrap(self.cancel_view), name="bookings_booking_cancel"),
            *(
                path(f"<uuid:booking_id>/{name}/", wrap(view), name=f"bookings_booking_{name}")
                for name, view in ((name, partial(self.end_view, ending=name)) for name in ENDINGS)
            ),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: Booking) -> list[PostButton | LinkButton]:
        """Return what may be asked of it in its state."""
        if not request.user.has_perm(CHANGE):
            return []
        cancel = LinkButton(url=_address("cancel", row), label="Cancel…", variant="danger")
        match row.status:
            case BookingStatus.PENDING if row.is_sold_by_vendor:
                return [cancel]
            case BookingStatus.PENDING:
                return [PostButton(url=_address("confirm", row), label="Confirm"), cancel]
            case BookingStatus.CONFIRMED:
                ends = [LinkButton(url=_address(name, row), label=f"{each.label}…") for name, each in ENDINGS.items()]
                return [*ends, cancel]
        return []

    def confirm_view(self, request: HttpRequest, booking_id: UUID) -> HttpResponse:
        """Ask for the confirmation, and show its refusal."""
        booking = self._asked(request, booking_id)
        tell(request, _confirm(booking, staff_act(request, CHANGE)).error, done="Confirmed.")
        return _back_to(booking)

    def cancel_view(self, request: HttpRequest, booking_id: UUID) -> HttpResponse:
        """Show what cancelling would pay back; once a reason is given, ask for it."""
        booking = self._asked(request, booking_id)
        act = staff_act(request, CHANGE)
        currency = currency_of(booking)
        most = Money(amount=refundable(booking, currency), currency=currency)
        form = CancellationForm(request.POST or None, most=most)
        if form.is_valid():
            said = form.cleaned_data
            result = _cancel(booking, act.because(said["reason"]), refund_amount=said.get("amount"))
            tell(request, result.error, done=_cancelled(result, currency))
            return _back_to(booking)
        try:
            question = _question(booking, act, form)
        except DomainError as refusal:
            tell(request, refusal, done="")
            return _back_to(booking)
        return ask_first(self, request, booking, question)

    def end_view(self, request: HttpRequest, booking_id: UUID, *, ending: str) -> HttpResponse:
        """Ask first; then note how the booking ended, and show the refusal."""
        booking, asked = self._asked(request, booking_id), ENDINGS[ending]
        if request.method != "POST":
            return ask_first(self, request, booking, _how_it_ended(booking, asked))
        act = staff_act(request, CHANGE)
        attempt(request, lambda: asked.end(booking_id=booking.pk, act=act), done=asked.done)
        return _back_to(booking)

    def _asked(self, request: HttpRequest, booking_id: UUID) -> Booking:
        require(request, self, CHANGE)
        bookings = Booking.objects.select_related("show__ticket_type", "resource__ticket_type", "owner")
        return get_object_or_404(bookings, id=booking_id)


@transaction.atomic
def _confirm(booking: Booking, act: Act) -> EventResult:
    return ask(booking_confirmation_requested, booking=booking, act=act, payment_id=None)


@transaction.atomic
def _cancel(booking: Booking, act: Act, *, refund_amount: Decimal | None) -> EventResult:
    return ask(booking_cancellation_requested, booking=booking, act=act, refund_amount=refund_amount)


def _cancelled(result: EventResult, currency: str) -> str:
    """Return what came of it; of a refusal, nothing."""
    if not result.success:
        return ""
    return f"Cancelled; {Money(amount=result.data['booking'].refund_amount, currency=currency)} goes back."


def _question(booking: Booking, act: Act, form: CancellationForm) -> Question:
    """Return what cancelling it now would do.

    :raises BookingAlreadyCancelled: if it is cancelled
    :raises BookingNotCancellable: if it is over
    """
    pays = Money(amount=services.refund_preview(booking, act), currency=form.most.currency)
    by_customer = replace(pays, amount=services.refund_preview(booking, Act(at=act.at, actor=booking.owner)))
    form.initial = {"amount": pays.amount}
    tells = [
        f"{booking.title}, {booking.number_of_tickets} booked by {booking.customer_email}.",
        "Its open tickets let nobody in any more, its seats are free again, and the customer is told by mail.",
        f"Cancelling now pays back {pays}.",
    ]
    if used := booking.tickets.filter(status=TicketStatus.REDEEMED).count():
        tells.append(f"Tickets that somebody has entered with: {used}. They are paid back too unless you say less.")
    if by_customer != pays:
        tells.append(f"Had the customer cancelled, the policy would pay back {by_customer}.")
    return Question(title=f"Cancel booking {booking}?", tells=tells, form=form, label="Cancel the booking")


def _how_it_ended(booking: Booking, ending: Ending) -> Question:
    starts = f"{booking.title}, booked by {booking.customer_email}, starts on {day_and_time(booking.start_time)}."
    title = f"{ending.label}: booking {booking}?"
    return Question(title=title, tells=[starts, ending.tells], form=forms.Form(), label=ending.label)


def _address(name: str, booking: Booking) -> str:
    return reverse(f"admin:bookings_booking_{name}", args=[booking.pk])


def _back_to(booking: Booking) -> HttpResponse:
    return redirect("admin:bookings_booking_change", booking.pk)
