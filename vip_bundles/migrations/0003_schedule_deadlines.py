"""A schedule flags the bundles that have not ended by their deadline, every minute."""

from django.db import migrations

NAME = "flag stuck bundles"


def add(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name=NAME,
        defaults={"func": "vip_bundles.schedules.flag_stuck_bundles_now", "schedule_type": "I", "minutes": 1},
    )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("vip_bundles", "0002_refuse_undeclared_moves"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
