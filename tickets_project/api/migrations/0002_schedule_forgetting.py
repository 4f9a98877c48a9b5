"""A schedule deletes stored answers that are past their day."""

from django.db import migrations

NAME = "forget stored answers"


def add(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.get_or_create(
        name=NAME,
        defaults={"func": "tickets_project.api.idempotency.forget_expired_now", "schedule_type": "H"},
    )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("api", "0001_keep_answers_under_their_key"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
