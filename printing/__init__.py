"""Ticket documents: made and stored when a ticket's booking is confirmed."""
