"""Deliveries are vacuumed by the number of dead rows, not by their share of a table that is mostly closed rows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outbox", "0005_schedule_pruning")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE outbox_delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
            "ALTER TABLE outbox_delivery RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        )
    ]
