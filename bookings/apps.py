"""Bookings as a Django app."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Connects the request handlers to their signals."""

    name = "bookings"

    def ready(self) -> None:
        """Connect each request to its one handler."""
        from bookings import request_handlers, signals

        signals.booking_confirmation_requested.connect(request_handlers.confirm_booking, dispatch_uid="confirm_booking")
