"""VIP bundles as a Django app."""

from django.apps import AppConfig


class VipBundlesConfig(AppConfig):
    """Holds the place of the process manager."""

    name = "vip_bundles"
