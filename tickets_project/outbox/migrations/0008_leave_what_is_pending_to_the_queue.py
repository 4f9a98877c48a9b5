"""What is pending is found by the index that claims read in order, and by no other."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outbox", "0007_end_waits_in_the_database")]

    operations = [
        AddIndexConcurrently(
            "delivery",
            models.Index(
                "status", "id", condition=models.Q(status__in=["parked", "discarded"]), name="outbox_delivery_parked"
            ),
        ),
        RemoveIndexConcurrently("delivery", "outbox_delivery_open"),
    ]
