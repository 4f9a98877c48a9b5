"""API clients of somebody."""

from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient


def with_token(user: User) -> APIClient:
    """Return a client with a token of the user's that shows a 500 instead of raising it."""
    _, token = AuthToken.objects.create(user=user)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
