"""What admin views need of a request."""

from typing import Any

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


def require(request: HttpRequest, model_admin: Any, permission: str) -> None:
    """Let only those pass who may see the model's pages and have the permission besides.

    :raises PermissionDenied: if the user lacks either
    """
    if not request.user.has_perm(permission) or not model_admin.has_view_permission(request):
        raise PermissionDenied
