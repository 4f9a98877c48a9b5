"""The effect as a model, for our handler and for those peers that use Django's ORM."""

from django.db import models


class Effect(models.Model):
    """One event was handled; the benchmark makes the table, and the database notes when the row was written."""

    id = models.BigAutoField(primary_key=True)
    event = models.BigIntegerField()
    started_at = models.FloatField()

    class Meta:
        """In no migration."""

        app_label = "bench"
        db_table = "bench_effect"
        managed = False
