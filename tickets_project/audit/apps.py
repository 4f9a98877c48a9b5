"""The audit trail as a Django app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Append-only rows, written in the transaction of the change."""

    name = "tickets_project.audit"
    label = "audit"

    def ready(self) -> None:
        """Hear of every transition."""
        from tickets_project.audit.recording import listen

        listen()
