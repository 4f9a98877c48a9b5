"""Schedules delete expired sessions and tokens, old results of tasks, and the queues of clusters that are gone."""

from django.db import migrations

OURS = "tickets_project.housekeeping.schedules"
SCHEDULES = {
    "forget expired sessions": {
        "func": "django.core.management.call_command",
        "args": "'clearsessions'",
        "schedule_type": "D",
    },
    "forget expired tokens": {"func": f"{OURS}.forget_expired_tokens_now", "schedule_type": "D"},
    "forget task results": {"func": f"{OURS}.forget_task_results_now", "schedule_type": "D"},
    "forget abandoned queues": {"func": f"{OURS}.forget_abandoned_queues_now", "schedule_type": "H"},
}


def add(apps, schema_editor):
    for name, defaults in SCHEDULES.items():
        apps.get_model("django_q", "Schedule").objects.get_or_create(name=name, defaults=defaults)


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=SCHEDULES).delete()


class Migration(migrations.Migration):
    dependencies = [("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
