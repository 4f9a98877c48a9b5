"""How the pages of the admin carry out what staff ask, and tell what came of it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from tickets_project.admin_site.requests import actor_of
from tickets_project.audit.acts import Act, act_of
from tickets_project.refusals import DomainError


def staff_act(request: HttpRequest, permission: str, *, reason: str = "") -> Act:
    """Return what a member of staff does now.

    :raises PermissionDenied: if nobody is logged in
    """
    return act_of(actor_of(request), permission=permission, at=timezone.now(), reason=reason)


def tell(request: HttpRequest, refusal: DomainError | None, *, done: str) -> None:
    """Say on the next page what was done, or why it was refused."""
    if refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, done)


def attempt(request: HttpRequest, do: Callable[[], object], *, done: str) -> None:
    """Do it, and say on the next page that it was done, or why it was refused."""
    try:
        do()
    except DomainError as refusal:
        tell(request, refusal, done=done)
    else:
        tell(request, None, done=done)
