"""Reading notifications."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.tickets_project.notifications.made import AT, pending
from tickets_project.notifications.queries import notifications_about

pytestmark = pytest.mark.django_db


class TestNotificationsAbout:
    def test_returns_those_about_these_things_newest_first(self) -> None:
        booking, ticket = str(uuid4()), str(uuid4())
        old = pending(about=("booking", booking))
        new = pending("ticket_activated", about=("ticket", ticket), at=AT + timedelta(days=1))
        pending()
        assert notifications_about([booking, ticket]) == [new, old]
        assert notifications_about([booking, ticket], most=1) == [new]
        assert notifications_about([]) == []
