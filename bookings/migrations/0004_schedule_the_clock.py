"""Schedules expire tickets, complete and release bookings, and remind of them, every minute."""

from django.db import migrations

SCHEDULES = {
    "expire tickets": "bookings.schedules.expire_tickets_now",
    "complete past bookings": "bookings.schedules.complete_past_bookings_now",
    "release unconfirmed bookings": "bookings.schedules.release_unconfirmed_bookings_now",
    "send reminders": "bookings.schedules.send_reminders_now",
}


def add(apps, schema_editor):
    for name, func in SCHEDULES.items():
        apps.get_model("django_q", "Schedule").objects.get_or_create(
            name=name, defaults={"func": func, "schedule_type": "I", "minutes": 1}
        )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=SCHEDULES).delete()


class Migration(migrations.Migration):
    dependencies = [("bookings", "0003_refuse_undeclared_moves"), ("django_q", "0018_task_success_index")]

    operations = [migrations.RunPython(add, remove)]
