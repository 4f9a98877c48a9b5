"""Bookings as a Django app."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Connects the request handlers to their signals."""

    name = "bookings"

    def ready(self) -> None:
        """Connect each request to its one handler."""
        from bookings import request_handlers as handlers
        from bookings import signals

        for signal, handler in (
            (signals.booking_confirmation_requested, handlers.BookingConfirmationHandler()),
            (signals.booking_cancellation_requested, handlers.BookingCancellationHandler()),
            (signals.ticket_activation_requested, handlers.TicketActivationHandler()),
            (signals.ticket_redemption_requested, handlers.TicketRedemptionHandler()),
        ):
            # A weak reference would be the only one.
            signal.connect(handler, weak=False, dispatch_uid=type(handler).__name__)
