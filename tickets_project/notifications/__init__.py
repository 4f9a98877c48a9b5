"""Notifications: messages to customers, stored with the change that causes them and sent as e-mail."""
