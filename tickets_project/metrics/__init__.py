"""Numbers for Prometheus: counted by every process in files of its own, and asked from the database at each scrape."""
