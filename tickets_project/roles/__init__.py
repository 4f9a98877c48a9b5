"""Roles: the groups of staff and what each may do."""
