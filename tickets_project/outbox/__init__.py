"""The transactional outbox: messages are stored with the change they tell of, and delivered at least once."""
