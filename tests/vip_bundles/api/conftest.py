"""A customer and a member of staff, and a client of each."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.factories import StaffFactory, UserFactory
from tests.tickets_project.api.clients import with_token


@pytest.fixture
def ada(db: None) -> User:  # noqa: ARG001 - opens the database
    user: User = UserFactory.create(username="ada", email="ada@customers.example")
    return user


@pytest.fixture
def ann(db: None) -> User:  # noqa: ARG001 - opens the database
    user: User = StaffFactory.create(username="ann")
    return user


@pytest.fixture
def customer(ada: User) -> APIClient:
    """Return a client with a token of ada's."""
    return with_token(ada)


@pytest.fixture
def staff(ann: User) -> APIClient:
    """Return a client with a token of ann's."""
    return with_token(ann)


@pytest.fixture
def somebody(db: None) -> APIClient:  # noqa: ARG001 - opens the database
    """Return a client with a token of another customer's."""
    return with_token(UserFactory.create())


@pytest.fixture
def nobody() -> APIClient:
    """Return a client without a token."""
    return APIClient(raise_request_exception=False)
