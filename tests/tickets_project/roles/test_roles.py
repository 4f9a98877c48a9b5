"""The groups of staff: made by each migrate, and left alone once they are there."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tickets_project.roles.roles import make_missing_roles, permissions_named

READS = {
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
    "outbox.view_message",
    "outbox.view_delivery",
}
SELLS = {
    "bookings.change_booking",
    "bookings.activate_ticket",
    "printing.view_printedticket",
    "notifications.resend_notification",
}
MONEY = {
    "bookings.view_receipt",
    "bookings.request_refund",
    "bookings.pay_refund",
    "bookings.view_opsbooking",
    "analytics.view_dailytotal",
}
RUNS = {
    "bookings.add_show",
    "bookings.change_show",
    "bookings.add_resource",
    "bookings.change_resource",
    "bookings.add_openinghours",
    "bookings.change_openinghours",
    "bookings.add_tickettype",
    "bookings.change_tickettype",
    "bookings.undo_scan",
    "bookings.view_trackerrow",
    "vip_bundles.repair_vipbundle",
    "outbox.view_dispatcher",
    "outbox.repair_delivery",
    "django_q.view_schedule",
    "django_q.view_failure",
}
DOOR = {"bookings.redeem_ticket"}
SEES_BUNDLES = {"vip_bundles.view_vipbundle"}
EXPECTED = {
    "ops": READS | SELLS | MONEY | RUNS | DOOR,
    "box office": READS | SELLS,
    "door": DOOR,
    "finance": READS | MONEY,
}


def roles() -> dict[str, set[str]]:
    """Return the groups that are there, each with its permissions."""
    return {group.name: named(group) for group in Group.objects.all()}


def named(group: Group) -> set[str]:
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def go_back_before_bundles() -> None:
    """Make the groups what an installation without VIP bundles has, which has no such permissions either."""
    MigrationRecorder(connection).migration_qs.filter(app="roles").delete()
    Permission.objects.filter(
        content_type__app_label="vip_bundles", codename__in=["view_vipbundle", "repair_vipbundle"]
    ).delete()


def forget_a_migration() -> None:
    """Make it look as if the last migration of bookings were still to come."""
    applied = MigrationRecorder(connection).migration_qs.filter(app="bookings").order_by("-name")
    applied.filter(pk=applied[0].pk).delete()


@pytest.mark.django_db
class TestMakeMissingRoles:
    def test_has_made_the_four_with_just_these_permissions(self) -> None:
        assert roles() == EXPECTED

    def test_makes_those_that_are_missing(self) -> None:
        Group.objects.filter(name__in=["door", "finance"]).delete()
        call_command("migrate", verbosity=0)
        assert roles() == EXPECTED

    def test_keeps_what_was_changed(self) -> None:
        Group.objects.get(name="door").permissions.add(*permissions_named(("bookings.undo_scan",)))
        Group.objects.get(name="finance").permissions.clear()
        Group.objects.create(name="stewards")
        call_command("migrate", verbosity=0)
        changed = {"door": DOOR | {"bookings.undo_scan"}, "finance": set[str](), "stewards": set[str]()}
        assert roles() == EXPECTED | changed

    def test_leaves_no_group_without_its_permissions(self) -> None:
        Group.objects.all().delete()
        Permission.objects.filter(codename="pay_refund").delete()
        with pytest.raises(LookupError, match="1 of the permissions"):
            make_missing_roles()
        assert roles() == {}

    def test_waits_while_migrations_are_to_come(self) -> None:
        Group.objects.all().delete()
        Permission.objects.filter(codename="pay_refund").delete()
        forget_a_migration()
        make_missing_roles()
        assert roles() == {}

    def test_waits_for_the_table_of_groups(self) -> None:
        forget_a_migration()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auth_group RENAME TO not_there_yet")
            make_missing_roles()
            cursor.execute("ALTER TABLE not_there_yet RENAME TO auth_group")
        assert roles() == EXPECTED

    @pytest.mark.django_db(transaction=True)
    def test_makes_them_again_after_a_flush(self) -> None:
        call_command("flush", interactive=False, verbosity=0)
        assert roles() == EXPECTED


@pytest.mark.django_db
class TestPermissionsNamed:
    def test_finds_each(self) -> None:
        [door] = permissions_named(("bookings.redeem_ticket",))
        assert (door.content_type.app_label, door.codename) == ("bookings", "redeem_ticket")

    def test_refuses_what_does_not_exist(self) -> None:
        with pytest.raises(LookupError, match="1 of the permissions"):
            permissions_named(("bookings.redeem_ticket", "bookings.fly_ticket"))


@pytest.mark.django_db
class TestLetRolesSeeBundles:
    def test_gives_roles_that_are_there_what_new_ones_get(self) -> None:
        go_back_before_bundles()
        assert roles() == {name: {each for each in may if "bundle" not in each} for name, may in EXPECTED.items()}
        call_command("migrate", verbosity=0)
        assert roles() == EXPECTED

    def test_gives_them_the_permissions_that_django_makes(self) -> None:
        made = set(Permission.objects.values_list("content_type__app_label", "codename", "name"))
        go_back_before_bundles()
        call_command("migrate", verbosity=0)
        assert set(Permission.objects.values_list("content_type__app_label", "codename", "name")) == made

    def test_keeps_what_was_taken_from_a_role(self) -> None:
        go_back_before_bundles()
        Group.objects.get(name="finance").permissions.clear()
        Group.objects.get(name="ops").permissions.remove(*permissions_named(("outbox.repair_delivery",)))
        Group.objects.get(name="box office").delete()
        call_command("migrate", verbosity=0)
        changed = EXPECTED["ops"] - {"outbox.repair_delivery", "vip_bundles.repair_vipbundle"}
        assert roles() == EXPECTED | {"finance": set(), "ops": changed}

    def test_leaves_other_groups_as_they_are(self) -> None:
        go_back_before_bundles()
        Group.objects.create(name="stewards").permissions.set(permissions_named(tuple(READS - SEES_BUNDLES)))
        call_command("migrate", verbosity=0)
        assert roles() == EXPECTED | {"stewards": READS - SEES_BUNDLES}

    def test_does_so_once(self) -> None:
        Group.objects.get(name="finance").permissions.remove(*permissions_named(tuple(SEES_BUNDLES)))
        call_command("migrate", verbosity=0)
        assert roles() == EXPECTED | {"finance": EXPECTED["finance"] - SEES_BUNDLES}

    def test_can_be_taken_back(self) -> None:
        call_command("migrate", "roles", "zero", verbosity=0)
        assert not any("bundle" in each for may in roles().values() for each in may)
        call_command("migrate", verbosity=0)
        assert roles() == EXPECTED
