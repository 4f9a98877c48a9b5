"""Notifications in the admin: read as the customer reads them, and sent again."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from tickets_project.admin_site.confirming import ask_to_confirm, is_confirmed
from tickets_project.admin_site.display import (
    Badges,
    PostButton,
    Section,
    column,
    link,
    moment,
    moment_column,
    preformatted,
    pretty_json,
    unbroken,
)
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.notifications.models import Notification, State
from tickets_project.notifications.queries import MOST_NOTIFICATIONS, notifications_about
from tickets_project.notifications.rendering import render
from tickets_project.notifications.services import resend
from tickets_project.outbox.admin.explaining import deliveries_about, delivery_section, messages_about, why
from tickets_project.outbox.models import Delivery, Status
from tickets_project.refusals import DomainError

BADGES = Badges({"pending": "info", "sent": "success", "parked": "danger", "discarded": "warning"})


def _about(row: Notification) -> SafeString:
    """Lead to all messages about what the notification tells of."""
    about = unbroken(f"{row.about_type} {row.about_id[:8]}")
    return link("outbox_message_changelist", about, query={"q": row.about_id})


def with_deliveries(notifications: Sequence[Notification]) -> list[Notification]:
    """Hang on each notification what of it is not delivered."""
    rows = list(notifications)
    waiting = deliveries_about([str(row.pk) for row in rows if row.state == State.PENDING])
    for row in rows:
        row.deliveries = waiting.get(str(row.pk), [])  # type: ignore[attr-defined] # for this page
    return rows


def _state(row: Notification) -> SafeString:
    """Tell where it stands, and why it is not sent; the notification comes from with_deliveries."""
    deliveries: list[Delivery] = row.deliveries  # type: ignore[attr-defined] # likewise
    if not deliveries:
        return BADGES.show(row.state)
    latest = deliveries[-1]
    badge = BADGES.show(State.PENDING if latest.status == Status.PENDING else latest.status)
    return format_html("{} {}", badge, link("outbox_delivery_change", why(latest, at=timezone.now()), latest.pk))


def _mail(row: Notification) -> SafeString:
    words = render(row)
    return preformatted(f"Subject: {words.subject}\n\n{words.text}")


class NotificationChangeList(ChangeList):
    """A page of notifications, which asks once for the deliveries that the pending ones wait for."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the page's notifications with what they wait for."""
        super().get_results(request)
        self.result_list = with_deliveries(self.result_list)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """One row per message to a customer, newest first; those with `notifications.resend_notification` send again."""

    list_display = [
        "template",
        "email",
        column("about", _about),
        column("state", _state),
        moment_column("created_at"),
        moment_column("sent_at"),
    ]
    list_filter = [("template", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter)]
    list_select_related = False
    search_fields = ["email", "about_id"]
    search_help_text = "E-mail address, or id of a booking, ticket, bundle or notification"
    ordering = ["-created_at", "-id"]
    actions = ["resend_selected"]
    fields = [
        "id",
        "template",
        column("state", lambda row: BADGES.show(row.state)),
        "email",
        "recipient",
        column("about", _about),
        moment_column("created_at"),
        moment_column("sent_at", "last sent"),
        "sendings",
        moment_column("requested_at", "last asked for"),
        column("asked for by", lambda row: row.requested_by or "the system"),
        column("mail", _mail),
        column("context", lambda row: pretty_json(row.context)),
        "correlation_id",
    ]
    readonly_fields = fields

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may send again."""
        return request.user.has_perm("notifications.resend_notification")

    def find(self, text: str) -> Q:
        """Return the notifications to this address, or about the thing with this id; each has its index."""
        if "@" in text:
            return Q(email__iexact=text)
        wanted = uuid_in(text)
        return Q(about_id=str(wanted)) | Q(id=wanted) if wanted else Q(about_id=text)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows why."""
        del request, kwargs
        return NotificationChangeList

    def get_urls(self) -> list[URLPattern]:
        """Add the address that takes the wish to send again."""
        view = self.admin_site.admin_view(require_POST(self.resend_view))
        own = path("<uuid:notification_id>/resend/", view, name="notifications_notification_resend")
        return [own, *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Notification) -> list[PostButton]:
        """Return the wish to send what was sent again."""
        if row.state == State.PENDING or not self.has_resend_permission(request):
            return []
        return [PostButton(url=reverse("admin:notifications_notification_resend", args=[row.pk]), label="Resend")]

    def sections(self, row: Notification) -> list[Section]:
        """Return its deliveries and messages."""
        own = Delivery.objects.filter(message__aggregateid=str(row.pk)).select_related("message").order_by("-id")
        return [delivery_section("Deliveries", list(own)), messages_about([str(row.pk)])]

    def resend_view(self, request: HttpRequest, notification_id: UUID) -> HttpResponse:
        """Send one again."""
        if not self.has_resend_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        get_object_or_404(Notification, id=notification_id)
        self._resend_all(request, Notification.objects.filter(id=notification_id))
        return redirect("admin:notifications_notification_change", notification_id)

    @admin.action(description="Resend", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, rows: QuerySet[Notification]) -> HttpResponse | None:
        """Send many again, once confirmed."""
        if not is_confirmed(request):
            return ask_to_confirm(self, request, rows, title="Resend notifications")
        self._resend_all(request, rows)
        return None

    def _resend_all(self, request: HttpRequest, rows: QuerySet[Notification]) -> None:
        """Send each again by itself, oldest first, and say how many were and why the others were not."""
        keys = rows.order_by("created_at", "id").values_list("pk", flat=True)
        outcomes = Counter(_outcome(request, notification_id) for notification_id in keys)
        if asked := outcomes.pop("", 0):
            self.message_user(request, f"{asked} to be sent again.", messages.SUCCESS)
        for refusal, count in outcomes.items():
            self.message_user(request, f"{count} not sent again: {refusal}", messages.ERROR)


def _outcome(request: HttpRequest, notification_id: UUID) -> str:
    """Return why a notification is not sent again, nothing when it is."""
    try:
        resend(notification_id=notification_id, by=request.user.get_username(), at=timezone.now())
    except DomainError as refusal:
        return refusal.detail
    return ""


def notification_section(about_ids: Sequence[str]) -> Section:
    """Return the latest notifications about these things as a table, for the pages of other apps."""
    found = notifications_about(about_ids, most=MOST_NOTIFICATIONS + 1)
    rows = [
        [
            link("notifications_notification_change", row.get_template_display(), row.pk),
            row.email,
            _state(row),
            moment(row.created_at),
            moment(row.sent_at),
        ]
        for row in with_deliveries(found[:MOST_NOTIFICATIONS])
    ]
    note = (
        f"The latest {MOST_NOTIFICATIONS}; search the notifications for the others." if len(found) > len(rows) else ""
    )
    return Section(title="Notifications", headers=["what", "to", "state", "created", "sent"], rows=rows, note=note)
