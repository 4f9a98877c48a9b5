"""A schedule prunes every ten minutes."""

from django.db import migrations

NAME = "prune the outbox"


def add(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name=NAME,
        defaults={"func": "tickets_project.outbox.pruning.prune_now", "schedule_type": "I", "minutes": 10},
    )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("outbox", "0004_count_what_is_pruned"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
