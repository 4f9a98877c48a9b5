"""The HTTP API of bookings."""
