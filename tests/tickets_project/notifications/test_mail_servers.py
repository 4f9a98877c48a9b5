"""Which refusals stay; the conversations themselves stand with the handler's tests."""

from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import Any

import pytest
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from tickets_project.notifications.mail_servers import hand_over, is_final
from tickets_project.outbox.outcomes import GiveUp


class RefusingBackend(BaseEmailBackend):
    """A provider that rejects every recipient, as anymail tells it."""

    def send_messages(self, messages: Any) -> int:
        del messages
        raise AnymailRecipientsRefused


class TestHandOver:
    def test_gives_up_when_a_provider_rejects_the_address(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = f"{__name__}.{RefusingBackend.__name__}"
        with pytest.raises(GiveUp, match=r"ada@customers\.example for ever: All message recipients were rejected"):
            hand_over(EmailMessage(to=["ada@customers.example"]))


class TestIsFinal:
    @pytest.mark.parametrize(
        ("error", "answer"),
        [
            (SMTPRecipientsRefused({"a@b.example": (550, b"no")}), True),
            (SMTPRecipientsRefused({"a@b.example": (550, b"no"), "c@b.example": (450, b"later")}), False),
            (SMTPSenderRefused(550, b"no", "tickets@tickets.example"), True),
            (SMTPSenderRefused(421, b"later", "tickets@tickets.example"), False),
            (SMTPDataError(554, b"no"), True),
            (SMTPAuthenticationError(535, b"no"), False),
            (SMTPHeloError(501, b"no"), False),
            (SMTPServerDisconnected("gone"), False),
            (AnymailRecipientsRefused(), True),
            (AnymailInvalidAddress("no"), True),
            (AnymailRequestsAPIError("no"), False),
            (ConnectionRefusedError(), False),
        ],
    )
    def test_tells_what_stays_from_what_may_pass(self, error: Exception, answer: bool) -> None:  # noqa: FBT001
        assert is_final(error) is answer
