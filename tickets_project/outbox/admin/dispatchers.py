"""Who is at work."""

from django.contrib import admin

from tickets_project.admin_site.display import moment_column
from tickets_project.admin_site.pages import ReadOnlyAdmin
from tickets_project.outbox.models import Dispatcher


@admin.register(Dispatcher)
class DispatcherAdmin(ReadOnlyAdmin):
    """One row per dispatch task; one that was not seen for a while is dead, and the supervisor forgets it."""

    list_display = ["__str__", "cluster", moment_column("started_at"), moment_column("seen_at")]
    ordering = ["host", "pid", "id"]
