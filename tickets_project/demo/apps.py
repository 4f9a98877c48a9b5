"""The demo as a Django app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Holds the command that fills an empty database."""

    name = "tickets_project.demo"
    label = "demo"
