"""Housekeeping as a Django app: its migrations make the schedules."""

from django.apps import AppConfig


class HousekeepingConfig(AppConfig):
    """Has no tables of its own."""

    name = "tickets_project.housekeeping"
    label = "housekeeping"
