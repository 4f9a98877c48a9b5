"""What the tests of the API share: its test routes, users, tokens, and counters of their own."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.tickets_project.api.clients import with_token


@pytest.fixture(autouse=True)
def _ground(settings: Settings, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = "tests.tickets_project.api.routes"
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def ada(db: None) -> User:  # noqa: ARG001 - opens the database
    return User.objects.create_user("ada", "ada@example.com", "difference engine")


@pytest.fixture
def caller(ada: User) -> APIClient:
    """Return a client with a token of ada's."""
    return with_token(ada)


@pytest.fixture
def stranger() -> APIClient:
    """Return a client without a token that shows a 500 instead of raising it."""
    return APIClient(raise_request_exception=False)
