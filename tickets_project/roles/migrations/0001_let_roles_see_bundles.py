"""Roles that are there already see VIP bundles, and operations repair them; those that are made later do so anyway.

A role from which the like of it was taken gets neither.
"""

from django.db import migrations

SEES, REPAIRS = "view_vipbundle", "repair_vipbundle"
# As Django names them when it makes them, which is only after all migrations.
NAMES = {SEES: "Can view VIP bundle", REPAIRS: "Can retry and roll back bundles"}
# The role, what is given to it, and what it must have had so far.
GIVEN = [
    ("ops", SEES, "view_booking"),
    ("box office", SEES, "view_booking"),
    ("finance", SEES, "view_booking"),
    ("ops", REPAIRS, "repair_delivery"),
]


def give(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    for role, codename, like in GIVEN:
        for group in groups.filter(name=role, permissions__codename=like):
            group.permissions.add(_permission(apps, codename))


def take(apps, schema_editor):
    for group in apps.get_model("auth", "Group").objects.filter(name__in={role for role, _, _ in GIVEN}):
        group.permissions.remove(*group.permissions.filter(codename__in=NAMES))


def _permission(apps, codename):
    about, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="vip_bundles", model="vipbundle"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=about, codename=codename, defaults={"name": NAMES[codename]}
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("vip_bundles", "0001_create_bundles"),
    ]

    operations = [migrations.RunPython(give, take)]
