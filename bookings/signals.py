"""The requests that are answered inside the caller's transaction; send them with `ask`."""

from django.dispatch import Signal

booking_confirmation_requested = Signal()
"""booking: Booking, act: Act, payment_id: str | None → EventResult with the booking."""

booking_cancellation_requested = Signal()
"""booking: Booking, act: Act (with its reason), refund_amount: Decimal | None → EventResult with the booking."""

ticket_activation_requested = Signal()
"""ticket: Ticket, act: Act, activation_code: str | None → EventResult with the ticket."""

ticket_redemption_requested = Signal()
"""redemption_code: str, act: Act, location: str, nonce: str | None → EventResult with the ticket and the scan."""
