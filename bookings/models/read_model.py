"""The ops read model: what is known of each booking and ticket, gathered from events in whatever order they come."""

from django.db import models

from tickets_project.values import Money


class OpsBooking(models.Model):
    """What events have told of a booking."""

    booking_id = models.UUIDField(primary_key=True)
    booked_at = models.DateTimeField(null=True)
    show_id = models.UUIDField(null=True)
    number_of_tickets = models.PositiveIntegerField(null=True)
    customer_email = models.EmailField(blank=True, default="")

    class Meta:
        """The index serves the list, newest first."""

        indexes = [models.Index("booked_at", "booking_id", name="bookings_opsbooking_booked")]

    def __str__(self) -> str:
        return str(self.booking_id)


class OpsTicket(models.Model):
    """What events have told of a ticket; its booking may not be known yet."""

    ticket_id = models.UUIDField(primary_key=True)
    booking_id = models.UUIDField(null=True)
    customer_email = models.EmailField(blank=True, default="")
    price_amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    price_currency = models.CharField(max_length=3, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    printed_at = models.DateTimeField(null=True)
    file_name = models.CharField(max_length=100, blank=True, default="")
    receipt_number = models.CharField(max_length=100, blank=True, default="")
    receipt_issued_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)

    class Meta:
        """The indexes serve a booking's tickets, and the filter by the receipt's day."""

        indexes = [
            models.Index("booking_id", name="bookings_opsticket_booking"),
            models.Index("receipt_issued_at", name="bookings_opsticket_receipt"),
        ]

    def __str__(self) -> str:
        return str(self.ticket_id)

    @property
    def price(self) -> Money | None:
        """Return what it costs, None until its confirmation tells."""
        return None if self.price_amount is None else Money(amount=self.price_amount, currency=self.price_currency)
