"""Commands of the operations team on the numbers."""
