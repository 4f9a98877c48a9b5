"""Names the app to Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The ground rules of the HTTP API."""

    name = "tickets_project.api"
    label = "api"
    verbose_name = "API"
