"""VIP bundles in the admin: where each stands, what it waits for, what failed, and what is taken back."""

from vip_bundles.admin.bundles import VipBundleAdmin

__all__ = ["VipBundleAdmin"]
