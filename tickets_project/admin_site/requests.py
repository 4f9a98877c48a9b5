"""What admin views need of a request."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def actor_of(request: HttpRequest) -> User:
    """Return who acts.

    :raises PermissionDenied: if nobody is logged in
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
