"""Shows, bookings and tickets: their life cycles."""
