"""The requests that are answered inside the caller's transaction; send them with `ask`."""

from django.dispatch import Signal

booking_confirmation_requested = Signal()
"""booking: Booking, actor: User, payment_id: str | None, at: datetime → EventResult with the booking."""
