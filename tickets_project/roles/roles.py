"""Who may do what: the groups of staff, made by each migrate when they are missing."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q

_READS = (
    "bookings.view_show",
    "bookings.view_resource",
    "bookings.view_openinghours",
    "bookings.view_booking",
    "bookings.view_ticket",
    "bookings.view_tickettype",
    "bookings.view_scan",
    "bookings.view_refund",
    "vip_bundles.view_vipbundle",
    "audit.view_auditentry",
    "notifications.view_notification",
    # Why something waits is told by the messages about it.
    "outbox.view_message",
    "outbox.view_delivery",
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
# Who could also undo a scan could let any number of people in with one ticket, so the door alone cannot.
_DOOR = ("bookings.redeem_ticket",)
_WATCHES_THE_DOOR = ("bookings.undo_scan",)
_MONEY = (
    "bookings.view_receipt",
    "bookings.request_refund",
    "bookings.pay_refund",
    "bookings.view_opsbooking",
    "analytics.view_dailytotal",
)
_RUNS = (
    "bookings.view_trackerrow",
    "vip_bundles.repair_vipbundle",
    "outbox.view_dispatcher",
    "outbox.repair_delivery",
    "django_q.view_schedule",
    "django_q.view_failure",
)

ROLES = {
    "ops": (*_READS, *_SELLS, *_PUTS_UP, *_DOOR, *_WATCHES_THE_DOOR, *_MONEY, *_RUNS),
    "box office": (*_READS, *_SELLS),
    "door": _DOOR,
    "finance": (*_READS, *_MONEY),
}
"""What a member of each group may do; it takes a staff account besides. Superusers may do everything."""


def make_missing_roles(**_signal: Any) -> None:
    """Make the groups that are missing (post_migrate); one that is there keeps what was changed in it.

    What ROLES gains later is given to groups that are there by a migration.
    A migrate that stops half way leaves them to the one that brings the other permissions.

    :raises LookupError: if a permission does not exist after all migrations
    """
    try:
        with transaction.atomic():
            there = set(Group.objects.values_list("name", flat=True))
            for name in [name for name in ROLES if name not in there]:
                Group.objects.create(name=name).permissions.set(permissions_named(ROLES[name]))
    except (LookupError, ProgrammingError):
        if not _is_half_way():
            raise


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


def _is_half_way() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
