"""What staff ask of bundles: retry the step that one waits for, or roll it back."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from bookings.commands import RefundTicket
from tickets_project.admin_site.asking import Question, ReasonForm, ask_first
from tickets_project.admin_site.confirming import ask_to_confirm, is_confirmed
from tickets_project.admin_site.display import LinkButton
from tickets_project.admin_site.pages import ReadOnlyAdmin
from tickets_project.admin_site.requests import require
from tickets_project.audit.acts import Act
from tickets_project.audit.admin_acts import staff_act
from tickets_project.outbox.messages import Message
from tickets_project.refusals import DomainError
from vip_bundles import services
from vip_bundles.admin.waiting import in_words
from vip_bundles.commands import CancelFlightTickets, CancelTaxi
from vip_bundles.errors import BundleEnded
from vip_bundles.models import VipBundle
from vip_bundles.process import RetryStep, RollBack, decide
from vip_bundles.queries import REPAIR

REASON = "Why?"

Repair = Callable[..., VipBundle]


class RollBackForm(ReasonForm):
    """Why a bundle is rolled back."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Say who reads the reason."""
        super().__init__(*arguments, **options)
        self.fields["reason"].help_text = "It stays on record, and the customer reads it in the mail."


class VipBundleRepairs(ReadOnlyAdmin):
    """The buttons on a bundle's page and what they do, for those with `vip_bundles.repair_vipbundle`."""

    actions = ["retry_selected"]

    def has_repair_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may retry and roll back."""
        return request.user.has_perm(REPAIR)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that take the requests."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:vip_bundle_id>/retry/", wrap(self.retry_view), name="vip_bundles_vipbundle_retry"),
            path("<uuid:vip_bundle_id>/roll_back/", wrap(self.roll_back_view), name="vip_bundles_vipbundle_roll_back"),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: VipBundle) -> list[LinkButton]:
        """Return the repairs of a bundle that has not ended."""
        if row.has_ended or not self.has_repair_permission(request):
            return []
        return [
            LinkButton(url=_address("retry", row), label="Retry step…", variant="primary"),
            LinkButton(url=_address("roll_back", row), label="Roll back…", variant="danger"),
        ]

    def retry_view(self, request: HttpRequest, vip_bundle_id: UUID) -> HttpResponse:
        """Show what will be asked for again; once a reason is given, ask for it."""
        form = ReasonForm(request.POST or None)
        return self._repair(request, vip_bundle_id, form, _retrying, services.retry_step, done="Asked for again.")

    def roll_back_view(self, request: HttpRequest, vip_bundle_id: UUID) -> HttpResponse:
        """Show what will be taken back; once a reason is given, take it back."""
        form = RollBackForm(request.POST or None)
        done = "Rolled back: what was booked is being taken back, and the customer is told."
        return self._repair(request, vip_bundle_id, form, _rolling_back, services.roll_back, done=done)

    @admin.action(description="Retry step", permissions=["repair"])
    def retry_selected(self, request: HttpRequest, rows: QuerySet[VipBundle]) -> HttpResponse | None:
        """Retry the steps of many, once confirmed with a reason; each by itself, oldest first."""
        reason = request.POST.get("reason", "").strip()
        if not (is_confirmed(request) and reason):
            if is_confirmed(request):
                self.message_user(request, "Give a reason.", messages.ERROR)
            return ask_to_confirm(self, request, rows, title="Retry the steps of bundles", asks_for=REASON)
        keys = list(rows.order_by("created_at", "id").values_list("pk", flat=True))
        act = staff_act(request, REPAIR, reason=reason)
        outcomes = Counter(_outcome(services.retry_step, key, act) for key in keys)
        if retried := outcomes.pop("", 0):
            self.message_user(request, f"{retried} retried.", messages.SUCCESS)
        for refusal, count in outcomes.items():
            self.message_user(request, f"{count} not retried: {refusal}", messages.ERROR)
        return None

    def _repair(  # noqa: PLR0913 - both repairs are asked for alike
        self,
        request: HttpRequest,
        vip_bundle_id: UUID,
        form: forms.Form,
        question: Callable[[VipBundle, forms.Form], Question],
        repair: Repair,
        *,
        done: str,
    ) -> HttpResponse:
        require(request, self, REPAIR)
        bundle = get_object_or_404(VipBundle, id=vip_bundle_id)
        if form.is_valid():
            refusal = _outcome(repair, bundle.pk, staff_act(request, REPAIR, reason=form.cleaned_data["reason"]))
        elif not bundle.has_ended:
            return ask_first(self, request, bundle, question(bundle, form))
        else:
            refusal = BundleEnded().detail
        self.message_user(request, refusal or done, messages.ERROR if refusal else messages.SUCCESS)
        return redirect("admin:vip_bundles_vipbundle_change", bundle.pk)


def _outcome(repair: Repair, vip_bundle_id: UUID, act: Act) -> str:
    """Return why a bundle was not repaired, nothing when it was."""
    try:
        repair(vip_bundle_id=vip_bundle_id, act=act)
    except DomainError as refusal:
        return refusal.detail
    return ""


def _retrying(bundle: VipBundle, form: forms.Form) -> Question:
    sends = decide(bundle.facts(), RetryStep(at=timezone.now())).sends
    names = ", ".join(message.NAME for message in sends)
    tells = [
        f"{bundle}, for {bundle.customer_email}, waits for {in_words(bundle)}.",
        f"{names} is sent once more under its own key: what is booked already is not booked twice.",
        f"It gets another {settings.VIP_BUNDLE_DEADLINE_MINUTES} minutes before it is stuck again.",
    ]
    title = f"Retry the step of {bundle}?"
    return Question(title=title, tells=tells, form=form, label="Retry the step", variant="primary")


def _rolling_back(bundle: VipBundle, form: forms.Form) -> Question:
    tells = [
        f"{bundle}, for {bundle.customer_email}, waits for {in_words(bundle)}. It ends as failed, and that is final.",
        *_taken_back(decide(bundle.facts(), RollBack(reason="", at=timezone.now())).sends),
        "What turns out to be confirmed or booked after that is taken back when it is known.",
        "The customer is told by mail, with your reason.",
    ]
    return Question(title=f"Roll back {bundle}?", tells=tells, form=form, label="Roll back")


def _taken_back(sends: tuple[Message, ...]) -> list[str]:
    """Tell what the rollback takes back, a sentence each."""
    refunds = sum(isinstance(each, RefundTicket) for each in sends)
    flights = [each for each in sends if isinstance(each, CancelFlightTickets)]
    seats = sum(len(flight.flight_ticket_id) for flight in flights)
    found = [
        *([f"Tickets that are refunded: {refunds}."] if refunds else []),
        *([f"Flights that are cancelled: {len(flights)}, with {seats} flight tickets."] if flights else []),
        *(["The taxi is cancelled."] if any(isinstance(each, CancelTaxi) for each in sends) else []),
    ]
    return found or ["Nothing of it is known to be booked, so there is nothing to refund or to cancel now."]


def _address(name: str, bundle: VipBundle) -> str:
    return reverse(f"admin:vip_bundles_vipbundle_{name}", args=[bundle.pk])
