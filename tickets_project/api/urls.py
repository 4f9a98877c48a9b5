"""The routes of the API that belong to no business app; the project puts them under /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from tickets_project.api.views import DocsView, LoginView, LogoutView

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]
