"""The anticipated refusals of notifications."""

from tickets_project.refusals import DomainError


class NotificationPending(DomainError):
    """It is on its way already; if its delivery is parked, retry that."""

    code = "notification_pending"
