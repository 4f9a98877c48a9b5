"""Deliveries: what waits and why, and its repair."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from tickets_project.admin_site.confirming import ask_to_confirm, is_confirmed
from tickets_project.admin_site.display import (
    PostButton,
    Section,
    age,
    column,
    last_line,
    link,
    moment,
    moment_column,
    preformatted,
    pretty_json,
    unbroken,
)
from tickets_project.admin_site.pages import NOTHING, ReadOnlyAdmin, uuid_in
from tickets_project.outbox.admin.explaining import BADGES, why
from tickets_project.outbox.admin.filters import ExceptionFilter, HandlerFilter
from tickets_project.outbox.claiming import is_claimed
from tickets_project.outbox.errors import ReasonMissing
from tickets_project.outbox.models import Delivery, Intervention, Message, Status
from tickets_project.outbox.repairing import discard_delivery, retry_delivery
from tickets_project.refusals import DomainError

REASON = "Why? It stays on record."


def _holder(row: Delivery) -> SafeString | str:
    """Lead to the dispatcher that has the delivery in hand."""
    if not is_claimed(row, at=timezone.now()):
        return "-"
    return link("outbox_dispatcher_change", str(row.claimed_by)[:8], row.claimed_by)


def _error(row: Delivery) -> SafeString | str:
    line = last_line(row.last_error, longest=80)
    return format_html('<div style="min-width: 12rem; overflow-wrap: anywhere">{}</div>', line) if line else "-"


def _messages_link(message: Message, *, longest: int | None = None) -> SafeString:
    """Lead to all messages about the same thing, named by its id or the beginning of it."""
    about = unbroken(f"{message.aggregatetype} {message.aggregateid[:longest]}")
    return link("outbox_message_changelist", about, query={"q": message.aggregateid})


STATUS = column("status", lambda row: BADGES.show(row.status))
NEXT_TRY = column("next try", lambda row: moment(row.available_at) if row.status == Status.PENDING else "-")
LEASE_HOLDER = column("lease holder", _holder)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """One message on its way to one handler; those with `outbox.repair_delivery` may retry and discard."""

    list_display = [
        column("number", lambda row: row.pk),
        "handler",
        column("about", lambda row: _messages_link(row.message, longest=8)),
        STATUS,
        "attempts",
        NEXT_TRY,
        column("error", _error),
        column("age", lambda row: unbroken(age(row.message.published_at, timezone.now()))),
    ]
    list_filter = [("status", ChoicesDropdownFilter), HandlerFilter, ExceptionFilter]
    list_select_related = ["message"]
    search_fields = ["id", "message", "message__aggregateid"]
    search_help_text = "Number, or id of a message or its subject"
    ordering = ["-id"]
    actions = ["retry_selected", "discard_selected"]
    fields = [
        "id",
        column("message", lambda row: link("outbox_message_change", row.message, row.message_id)),
        column("about", lambda row: _messages_link(row.message)),
        "handler",
        STATUS,
        column("why", lambda row: why(row, at=timezone.now())),
        "attempts",
        NEXT_TRY,
        LEASE_HOLDER,
        moment_column("delivered_at"),
        column("payload", lambda row: pretty_json(row.message.payload)),
        column("last error", lambda row: preformatted(row.last_error)),
    ]
    readonly_fields = fields

    def has_repair_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may retry and discard."""
        return request.user.has_perm("outbox.repair_delivery")

    def find(self, text: str) -> Q:
        """Return the delivery with this number, or those of the messages with this id or about this aggregate."""
        if text.isdecimal() and text.isascii():
            return Q(pk=int(text))
        return Q(message__in=_messages(text))

    def get_urls(self) -> list[URLPattern]:
        """Add the two addresses that take a POST."""
        repairs = [("retry", self.retry_view), ("discard", self.discard_view)]
        own = [
            path(f"<int:delivery_id>/{name}/", self.admin_site.admin_view(require_POST(view)), name=_url(name))
            for name, view in repairs
        ]
        return [*own, *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Delivery) -> list[PostButton]:
        """Return the repairs of an open delivery."""
        if row.status not in (Status.PENDING, Status.PARKED) or not self.has_repair_permission(request):
            return []
        retry, discard = (reverse(f"admin:{_url(name)}", args=[row.pk]) for name in ("retry", "discard"))
        return [
            PostButton(url=retry, label="Retry now"),
            PostButton(url=discard, label="Discard", asks_for=REASON, variant="danger"),
        ]

    def sections(self, row: Delivery) -> list[Section]:
        """Return who intervened."""
        headers = ["at", "action", "by", "reason", "previous status", "previous error"]
        return [
            Section(title="Interventions", headers=headers, rows=[_told(entry) for entry in row.interventions.all()])
        ]

    def retry_view(self, request: HttpRequest, delivery_id: int) -> HttpResponse:
        """Retry one delivery."""
        return self._repair_one(request, delivery_id, "retried", _retry(request))

    def discard_view(self, request: HttpRequest, delivery_id: int) -> HttpResponse:
        """Discard one delivery."""
        return self._repair_one(request, delivery_id, "discarded", _discard(request))

    @admin.action(description="Retry now", permissions=["repair"])
    def retry_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        """Retry many, once confirmed."""
        if not is_confirmed(request):
            return ask_to_confirm(self, request, rows, title="Retry deliveries now")
        self._repair_all(request, rows, "retried", _retry(request))
        return None

    @admin.action(description="Discard", permissions=["repair"])
    def discard_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        """Discard many, once confirmed with a reason."""
        if is_confirmed(request) and request.POST.get("reason", "").strip():
            self._repair_all(request, rows, "discarded", _discard(request))
            return None
        if is_confirmed(request):
            self.message_user(request, ReasonMissing().detail, messages.ERROR)
        return ask_to_confirm(self, request, rows, title="Discard deliveries", asks_for=REASON)

    def _repair_one(
        self, request: HttpRequest, delivery_id: int, done: str, repair: Callable[[int], object]
    ) -> HttpResponse:
        if not self.has_repair_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        self._repair_all(request, Delivery.objects.filter(pk=delivery_id), done, repair)
        return redirect("admin:outbox_delivery_change", delivery_id)

    def _repair_all(
        self, request: HttpRequest, rows: QuerySet[Delivery], done: str, repair: Callable[[int], object]
    ) -> None:
        """Repair each row by itself, oldest first, and say how many were and why the others were not."""
        outcomes = Counter(_outcome(repair, pk) for pk in rows.order_by("pk").values_list("pk", flat=True))
        if repaired := outcomes.pop("", 0):
            self.message_user(request, f"{repaired} {done}.", messages.SUCCESS)
        for refusal, count in outcomes.items():
            self.message_user(request, f"{count} not {done}: {refusal}", messages.ERROR)


def _url(name: str) -> str:
    return f"outbox_delivery_{name}"


def _messages(text: str) -> QuerySet[Message]:
    message_id = uuid_in(text)
    wanted = Q(aggregateid=text) | (Q(id=message_id) if message_id else NOTHING)
    return Message.objects.filter(wanted).values("pk")  # type: ignore[return-value] # a subquery


def _retry(request: HttpRequest) -> Callable[[int], object]:
    by, at = request.user.get_username(), timezone.now()
    return lambda delivery_id: retry_delivery(delivery_id, by=by, at=at)


def _discard(request: HttpRequest) -> Callable[[int], object]:
    by, at, reason = request.user.get_username(), timezone.now(), request.POST.get("reason", "")
    return lambda delivery_id: discard_delivery(delivery_id, by=by, at=at, reason=reason)


def _outcome(repair: Callable[[int], Any], delivery_id: int) -> str:
    """Return why the delivery was not repaired, nothing when it was."""
    try:
        repair(delivery_id)
    except DomainError as refusal:
        return refusal.detail
    except Delivery.DoesNotExist:
        return "There is no such delivery any more."
    return ""


def _told(entry: Intervention) -> list[object]:
    error = last_line(entry.previous_error)
    return [moment(entry.at), entry.action, entry.by, entry.reason or "-", entry.previous_status or "-", error or "-"]
