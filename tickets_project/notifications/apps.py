"""Notifications as a Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """A row per message; the outbox sends it."""

    name = "tickets_project.notifications"
    label = "notifications"
