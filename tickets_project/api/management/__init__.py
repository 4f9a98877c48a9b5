"""What operators run for the API."""
