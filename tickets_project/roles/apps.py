"""Roles as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RolesConfig(AppConfig):
    """Comes last among the apps, so that every permission exists when the groups are made."""

    name = "tickets_project.roles"
    label = "roles"

    def ready(self) -> None:
        """Make the groups after each migrate."""
        from tickets_project.roles.roles import make_missing_roles

        post_migrate.connect(make_missing_roles, sender=self, dispatch_uid="roles")
