"""Who may do what: the groups of staff, made by each migrate when they are missing."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

_READS = (
    "bookings.view_show",
    "bookings.view_resource",
    "bookings.view_openinghours",
    "bookings.view_booking",
    "bookings.view_ticket",
    "bookings.view_tickettype",
    "bookings.view_scan",
    "audit.view_auditentry",
    "notifications.view_notification",
)
_SELLS = (
    "bookings.change_booking",
    "bookings.activate_ticket",
    "printing.view_printedticket",
    "notifications.resend_notification",
)
_PUTS_UP = tuple(
    f"bookings.{action}_{model}"
    for model in ("show", "resource", "openinghours", "tickettype")
    for action in ("add", "change")
)
_DOOR = ("bookings.redeem_ticket", "bookings.undo_scan")
_MONEY = (
    "bookings.view_refund",
    "bookings.view_receipt",
    "bookings.request_refund",
    "bookings.pay_refund",
    "bookings.view_opsbooking",
    "analytics.view_dailytotal",
)
_RUNS = (
    "bookings.view_trackerrow",
    "outbox.view_message",
    "outbox.view_delivery",
    "outbox.view_dispatcher",
    "outbox.repair_delivery",
    "django_q.view_schedule",
    "django_q.view_failure",
)

ROLES = {
    "ops": (*_READS, *_SELLS, *_PUTS_UP, *_DOOR, *_MONEY, *_RUNS),
    "box office": (*_READS, *_SELLS),
    "door": _DOOR,
    "finance": (*_READS, *_MONEY),
}
"""What a member of each group may do; it takes a staff account besides. Superusers may do everything."""


def make_missing_roles(**_signal: Any) -> None:
    """Make the groups that are missing (post_migrate); one that is there keeps what was changed in it."""
    for name, permissions in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permissions_named(permissions))


def permissions_named(names: tuple[str, ...]) -> list[Permission]:
    """Return the permissions of these names.

    :raises LookupError: if one does not exist
    """
    wanted = Q()
    for name in names:
        app, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(wanted))
    if len(found) != len(names):
        raise LookupError(f"{len(names) - len(found)} of the permissions {names} do not exist.")
    return found
