"""The audit trail in the admin, to be read."""

from django.contrib import admin
from django.db.models import Q

from tickets_project.admin_site.display import column, moment_column, pretty_json
from tickets_project.admin_site.pages import ReadOnlyAdmin, uuid_in
from tickets_project.audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """One row per business action, newest first."""

    list_display = [
        moment_column("at", "when"),
        "action",
        "subject_type",
        "subject_id",
        "old",
        "new",
        "by",
        "reason",
    ]
    list_select_related = False
    search_fields = ["subject_id", "correlation_id"]
    search_help_text = "The id of a booking, ticket or bundle, or a correlation id"
    ordering = ["-id"]
    fields = [
        moment_column("at", "when"),
        "action",
        "subject_type",
        "subject_id",
        "old",
        "new",
        "by",
        "actor",
        "reason",
        column("details", lambda entry: pretty_json(entry.details)),
        "correlation_id",
    ]
    readonly_fields = fields

    def find(self, text: str) -> Q:
        """Return what was done to the thing with this id, or by the request with this correlation id."""
        found = uuid_in(text)
        by_request = Q(correlation_id=text)
        return Q(subject_id=str(found)) | by_request if found else by_request
