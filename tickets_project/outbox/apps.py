"""The outbox as a Django app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Labelled `outbox`, so that its tables are `outbox_message` and `outbox_delivery`."""

    name = "tickets_project.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Register the system checks of the subscription table."""
        from tickets_project.outbox import checks  # noqa: F401 - registers by import
