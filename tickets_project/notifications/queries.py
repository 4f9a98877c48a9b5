"""Reads of notifications."""

from collections.abc import Sequence

from tickets_project.notifications.models import Notification

MOST_NOTIFICATIONS = 50


def notifications_about(about_ids: Sequence[str], *, most: int = MOST_NOTIFICATIONS) -> list[Notification]:
    """Return the latest notifications that tell of these things, newest first."""
    return list(Notification.objects.filter(about_id__in=about_ids).order_by("-created_at", "-id")[:most])
