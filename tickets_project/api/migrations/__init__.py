"""The migrations of the API's own table."""
