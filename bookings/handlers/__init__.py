"""What bookings do when a message arrives: one module per concern."""
