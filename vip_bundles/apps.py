"""VIP bundles as a Django app."""

from django.apps import AppConfig


class VipBundlesConfig(AppConfig):
    """Shows with flights and a taxi, booked step by step or taken back."""

    name = "vip_bundles"
    verbose_name = "VIP bundles"
