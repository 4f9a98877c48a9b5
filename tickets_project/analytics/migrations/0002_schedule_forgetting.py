"""A schedule forgets which messages were counted, once they are pruned."""

from django.db import migrations

NAME = "forget counted messages"


def add(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name=NAME,
        defaults={"func": "tickets_project.analytics.forgetting.forget_pruned_now", "schedule_type": "D"},
    )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_count_per_day_and_kind"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
