"""What staff ask of a ticket on its page: activate, refund, undo its scan."""

from decimal import Decimal
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from bookings import services
from bookings.admin.scan_cells import UNDO, undoable_scan
from bookings.admin.scans import undo_button
from bookings.errors import NothingToRefund, RefundAlreadyRequested
from bookings.models import Refund, RefundState, Ticket, TicketStatus
from bookings.services.refund_rows import refundable_for
from bookings.signals import ticket_activation_requested
from tickets_project.admin_site.asking import Question, ReasonForm, ask_first
from tickets_project.admin_site.display import LinkButton
from tickets_project.admin_site.pages import ReadOnlyAdmin
from tickets_project.admin_site.requests import require
from tickets_project.audit.acts import Act
from tickets_project.audit.admin_acts import attempt, staff_act, tell
from tickets_project.event_result import EventResult, ask
from tickets_project.refusals import DomainError
from tickets_project.values import Money

ACTIVATE, REFUND = "bookings.activate_ticket", "bookings.request_refund"


class ActivationForm(forms.Form):
    """A code that replaces the ticket's own."""

    code = forms.CharField(
        label="Activation code",
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Leave it empty to keep the ticket's own code, or to have one made.",
    )


class TicketRequests(ReadOnlyAdmin):
    """The buttons on a ticket's page and what they do, each for those with its permission."""

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that take the requests."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:ticket_id>/activate/", wrap(self.activate_view), name="bookings_ticket_activate"),
            path("<uuid:ticket_id>/refund/", wrap(self.refund_view), name="bookings_ticket_refund"),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: Ticket) -> list[LinkButton]:
        """Return what may be asked of it in its state."""
        found = []
        if request.user.has_perm(ACTIVATE) and row.status == TicketStatus.PENDING:
            found.append(LinkButton(url=_address("activate", row), label="Activate…", variant="primary"))
        if request.user.has_perm(UNDO) and (scan := undoable_scan(row, at=timezone.now())):
            found.append(undo_button(scan))
        if request.user.has_perm(REFUND) and not _is_refunded(row):
            found.append(LinkButton(url=_address("refund", row), label="Refund…", variant="danger"))
        return found

    def activate_view(self, request: HttpRequest, ticket_id: UUID) -> HttpResponse:
        """Ask for a code, which may be left out, then ask for the activation and show its refusal."""
        require(request, self, ACTIVATE)
        ticket = _ticket(ticket_id)
        form = ActivationForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return ask_first(self, request, ticket, _activation(ticket, form))
        result = _activate(ticket, staff_act(request, ACTIVATE), code=form.cleaned_data["code"] or None)
        tell(request, result.error, done="Activated; the holder is sent the QR code.")
        return _back_to(ticket)

    def refund_view(self, request: HttpRequest, ticket_id: UUID) -> HttpResponse:
        """Show what goes back; once a reason is given, ask for it and show its refusal."""
        require(request, self, REFUND)
        ticket = _ticket(ticket_id)
        pays = _goes_back(ticket)
        if refusal := _why_not(ticket, pays):
            tell(request, refusal, done="")
            return _back_to(ticket)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(self, request, ticket, _refund(ticket, pays, form))
        act = staff_act(request, REFUND, reason=form.cleaned_data["reason"])
        attempt(
            request, lambda: services.request_refund(ticket_id=ticket_id, act=act), done=f"{pays} is on its way back."
        )
        return _back_to(ticket)


def _ticket(ticket_id: UUID) -> Ticket:
    tickets = Ticket.objects.select_related("ticket_type", "booking__show", "booking__resource", "booking__owner")
    return get_object_or_404(tickets, id=ticket_id)


def _is_refunded(ticket: Ticket) -> bool:
    """Tell whether its money is on its way back, or back; what failed can be tried again."""
    return Refund.objects.filter(ticket=ticket).exclude(status=RefundState.FAILED).exists()


def _goes_back(ticket: Ticket) -> Money:
    """Return what a refund pays now: what failed, again; else what of the price is left."""
    failed = Refund.objects.filter(ticket=ticket).first()
    amount: Decimal = failed.amount if failed else refundable_for(ticket)
    return Money(amount=amount, currency=ticket.price_currency)


def _why_not(ticket: Ticket, pays: Money) -> DomainError | None:
    if _is_refunded(ticket):
        return RefundAlreadyRequested()
    return None if pays.amount else NothingToRefund()


@transaction.atomic
def _activate(ticket: Ticket, act: Act, *, code: str | None) -> EventResult:
    return ask(ticket_activation_requested, ticket=ticket, act=act, activation_code=code)


def _activation(ticket: Ticket, form: forms.Form) -> Question:
    tells = [
        f"{ticket.title}, for {ticket.customer_email}.",
        "The ticket lets its holder in from then on, while it is valid; the QR code is sent by mail.",
    ]
    title = f"Activate ticket {ticket}?"
    return Question(title=title, tells=tells, form=form, label="Activate", variant="primary")


def _refund(ticket: Ticket, pays: Money, form: forms.Form) -> Question:
    by = "the payments service pays it" if pays == ticket.price else "a part of the price, for a person to pay"
    tells = [
        f"{ticket.title}, for {ticket.customer_email}.",
        f"{pays} goes back: {by}.",
        "A ticket that nobody has entered with lets nobody in any more; its receipt is voided.",
    ]
    return Question(title=f"Refund ticket {ticket}?", tells=tells, form=form, label="Refund")


def _address(name: str, ticket: Ticket) -> str:
    return reverse(f"admin:bookings_ticket_{name}", args=[ticket.pk])


def _back_to(ticket: Ticket) -> HttpResponse:
    return redirect("admin:bookings_ticket_change", ticket.pk)
