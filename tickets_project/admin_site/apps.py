"""The admin's shared pieces as a Django app, for their templates and for the models of other packages."""

from django.apps import AppConfig


class AdminSiteConfig(AppConfig):
    """Stands after the packages whose models it shows anew."""

    name = "tickets_project.admin_site"
