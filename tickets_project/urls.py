"""Every address of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from tickets_project import health
from tickets_project.bundle_shows import find_show
from tickets_project.dashboard import first_page
from tickets_project.metrics.views import metrics
from vip_bundles.api.urls import bundle_urls

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.admin_view(first_page)),
    path("admin/", include("bookings.admin.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("tickets_project.api.urls")),
    path("api/v1/", include("bookings.api.urls")),
    path("api/v1/", include(bundle_urls(find_show))),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
]

handler400 = "tickets_project.errors.handler400"
handler403 = "tickets_project.errors.handler403"
handler404 = "tickets_project.errors.handler404"
handler500 = "tickets_project.errors.handler500"
