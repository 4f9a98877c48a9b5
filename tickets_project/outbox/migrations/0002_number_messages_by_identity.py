"""PostgreSQL numbers the messages."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_create_the_outbox")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE outbox_message ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY",
            "ALTER TABLE outbox_message ALTER COLUMN sequence DROP IDENTITY",
        )
    ]
