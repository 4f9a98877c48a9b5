"""The models of other packages in the same looks: accounts, API tokens, and the worker's own tables."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import truncatechars
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from django_q import admin as django_q
from django_q.models import Failure, OrmQ, Schedule, Success
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tickets_project.admin_site.confirming import ask_to_confirm, is_confirmed
from tickets_project.admin_site.display import Badges, column, moment_column
from tickets_project.admin_site.pages import FastAdmin, ReadOnlyAdmin

TOKEN = column("token", lambda token: f"{token.token_key[:8]}…")
STATE = column("state", lambda token: Badges({"valid": "success"}).show(_state(token)))
RESULT = column("result", lambda task: truncatechars(task.result, 100))

admin.site.index_template = "admin_site/index.html"
for model in (User, Group, AuthToken, Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):  # the queue is only there when it is a table of ours
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(auth.UserAdmin, FastAdmin):  # type: ignore[misc, type-arg] # their order is what unfold asks for
    """Accounts; one is deactivated, not deleted, because bookings and records keep their owner."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["username"]
    search_help_text = "The beginning of a user name"

    def find(self, text: str) -> Q:
        """Return the users whose name begins so; it has an index."""
        return Q(username__startswith=text)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False


@admin.register(Group)
class GroupAdmin(auth.GroupAdmin, FastAdmin):  # type: ignore[misc] # likewise
    """Who may do what."""

    def find(self, text: str) -> Q:
        """Return the groups whose name begins so."""
        return Q(name__istartswith=text)


@admin.register(AuthToken)
class AuthTokenAdmin(ReadOnlyAdmin):
    """API tokens, to be revoked. None is made here, because only its maker may see it: use `create_api_token`.

    A token's key in the table is its digest, so tokens have no page of their own and are chosen by their first
    characters.
    """

    list_display = [TOKEN, "user", STATE, moment_column("created"), moment_column("expiry")]
    list_display_links = None
    list_select_related = ["user"]
    search_fields = ["user"]
    search_help_text = "A user name"
    ordering = ["-created", "digest"]
    actions = ["revoke"]

    def find(self, text: str) -> Q:
        """Return the tokens of one user."""
        return Q(user__username=text)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may delete tokens."""
        return request.user.has_perm("knox.delete_authtoken")

    def get_urls(self) -> list[URLPattern]:
        """Leave the list alone."""
        return [url for url in super().get_urls() if url.name == "knox_authtoken_changelist"]

    def name_of(self, row: AuthToken) -> str:
        """Return what the list shows of it."""
        return f"{row.token_key[:8]}… of {row.user}"

    def handle_of(self, row: AuthToken) -> str:
        """Return its first characters, by which it is found."""
        return str(row.token_key)

    @admin.display(description=FastAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: AuthToken) -> SafeString:
        """Offer it by its handle."""
        box: SafeString = super().action_checkbox(AuthToken(digest=self.handle_of(obj)))
        return box

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Turn the choice into the table's keys."""
        post = request.POST.copy()
        chosen = AuthToken.objects.filter(token_key__in=post.getlist(ACTION_CHECKBOX_NAME))
        post.setlist(ACTION_CHECKBOX_NAME, list(chosen.values_list("pk", flat=True)))
        request.POST = post  # type: ignore[assignment] # a mutable one does as well
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Any]) -> HttpResponse | None:
        """Delete the tokens, once confirmed."""
        if not is_confirmed(request):
            return ask_to_confirm(self, request, tokens, title="Revoke API tokens")
        count, _ = tokens.delete()
        self.message_user(request, f"{count} revoked.")
        return None


@admin.register(Schedule)
class ScheduleAdmin(django_q.ScheduleAdmin, FastAdmin):
    """What runs by the clock: when, may be changed; what, is code, and migrations say it."""

    list_filter = ["schedule_type"]
    search_fields: Sequence[str] = []
    ordering = ["id"]
    fields = ["name", "func", "args", "kwargs", "schedule_type", "minutes", "repeats", "next_run", "cluster"]
    readonly_fields = ["name", "func", "args", "kwargs"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        del request, obj
        return False


@admin.register(Success, Failure)
class TaskAdmin(ReadOnlyAdmin):
    """What the worker ran; deliveries have their own pages."""

    list_display = ["name", "func", "cluster", moment_column("started"), moment_column("stopped"), RESULT]
    ordering = ["-stopped", "id"]
    fields = ["id", "name", "func", "args", "kwargs", "result", "cluster", "started", "stopped", "attempt_count"]


class QueueAdmin(ReadOnlyAdmin):
    """What the worker will run next."""

    list_display = ["id", "key", "name", "func", moment_column("lock"), "task_id"]
    fields = ["key", "lock", "task_id", "name", "func", "args", "kwargs", "q_options"]
    readonly_fields = fields
    ordering = ["id"]


def _state(token: AuthToken) -> str:
    return "expired" if token.expiry and token.expiry <= timezone.now() else "valid"


if "orm" in settings.Q_CLUSTER:
    admin.site.register(OrmQ, QueueAdmin)
