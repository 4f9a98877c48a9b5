"""What is not business: settings, the outbox, the gateway, the ground rules of the API."""
