"""A small application on the outbox, for trials by kill, flood and fault: each effect leaves a row."""
