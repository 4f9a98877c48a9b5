"""Housekeeping: what libraries store and nobody reads any more is deleted by schedules."""
