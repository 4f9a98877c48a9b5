"""Analytics: counts per day and kind, kept by a listener."""
