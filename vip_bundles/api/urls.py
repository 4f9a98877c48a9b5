"""Addresses of the bundles API; the project puts them under /api/v1/."""

from collections.abc import Callable

from django.urls import URLPattern, path

from vip_bundles.api.bundles import BundlesView, BundleView
from vip_bundles.api.repairs import RetryBundleView, RollBackBundleView
from vip_bundles.services.making import BundleShow


def bundle_urls(find_show: Callable[..., BundleShow]) -> list[URLPattern]:
    """Return the addresses; `find_show` is what BundlesView describes."""
    return [
        path("vip-bundles/", BundlesView.as_view(find_show=find_show), name="api-vip-bundles"),
        path("vip-bundles/<uuid:vip_bundle_id>/", BundleView.as_view(), name="api-vip-bundle"),
        path("vip-bundles/<uuid:vip_bundle_id>/retry/", RetryBundleView.as_view(), name="api-vip-bundle-retry"),
        path(
            "vip-bundles/<uuid:vip_bundle_id>/rollback/", RollBackBundleView.as_view(), name="api-vip-bundle-rollback"
        ),
    ]
