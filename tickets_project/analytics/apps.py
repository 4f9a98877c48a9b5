"""Analytics as a Django app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Daily totals, which a replay rebuilds."""

    name = "tickets_project.analytics"
    label = "analytics"
