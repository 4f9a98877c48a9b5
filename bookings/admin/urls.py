"""The addresses under /admin/ that belong to no model."""

from django.contrib import admin
from django.urls import path

from bookings.admin.scanning import scan_page, undo_at_the_door

urlpatterns = [
    path("scan/", admin.site.admin_view(scan_page), name="scan"),
    path("scan/<uuid:scan_id>/undo/", admin.site.admin_view(undo_at_the_door), name="undo-scan"),
]
