"""A schedule starts dispatchers too, for clusters that run without a supervisor."""

from django.db import migrations

NAME = "dispatch the outbox"


def add(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name=NAME,
        defaults={"func": "tickets_project.outbox.worker.dispatching.dispatch", "schedule_type": "I", "minutes": 1},
    )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_number_messages_by_identity"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
