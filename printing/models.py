"""What has been printed."""

from django.db import models


class PrintedTicket(models.Model):
    """A ticket's document that is in the files service; one per ticket, whatever is delivered twice."""

    ticket_id = models.UUIDField(primary_key=True)
    file_name = models.CharField(max_length=100)
    printed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.file_name
