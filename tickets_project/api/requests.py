"""What views of every app share: who asks, and how the answer to a signalled request becomes HTTP."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tickets_project.event_result import EventResult


def authenticated_user(request: Request) -> User:
    """Return who asks.

    :raises NotAuthenticated: if nobody is known
    """
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def email_of(user: User, given: str | None) -> str:
    """Return the e-mail address that was given, the user's own when none was.

    :raises ValidationError: if there is neither
    """
    email = given or user.email
    if not email:
        raise ValidationError({"customer_email": ["Your account has no e-mail address: give one."]})
    return email


def answer(view: APIView, result: EventResult, body: Callable[[], Any]) -> Response:
    """Return 200 with the body under `data`, or the refusal's problem with `success` and `error_type`."""
    if result.error is None:
        return Response({"success": True, "data": body()})
    response = view.handle_exception(result.error)
    response.data |= {"success": False, "error_type": result.error_type}
    return response
