"""Names the app to Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The ground rules of the HTTP API."""

    name = "tickets_project.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the deploy checks of the installation."""
        from tickets_project import deploy_checks  # noqa: F401 - registers by import
