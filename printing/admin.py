"""Printed documents in the admin, to be read."""

from django.contrib import admin

from printing.models import PrintedTicket
from tickets_project.admin_site.display import moment_column
from tickets_project.admin_site.pages import ReadOnlyAdmin


@admin.register(PrintedTicket)
class PrintedTicketAdmin(ReadOnlyAdmin):
    """One row per stored document."""

    list_display = ["ticket_id", "file_name", moment_column("printed_at")]
    search_fields = ["ticket_id"]
    search_help_text = "The id of a ticket"
    # The only index that it has.
    ordering = ["ticket_id"]
