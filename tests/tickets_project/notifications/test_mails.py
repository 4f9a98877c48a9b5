"""Mails, as they are handed over."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from icalendar import Calendar
from pytest_django import Settings

from tests.tickets_project.notifications.made import BOOKING, CODE, FACTS, unsaved
from tests.tickets_project.test_qr_codes import text_in
from tickets_project.notifications.mails import compose
from tickets_project.notifications.models import Notification
from tickets_project.outbox.outcomes import GiveUp


def parsed(notification: Notification, *, sending: int = 1) -> EmailMessage:
    """Return the mail as it arrives."""
    content = compose(notification, sending=sending).message().as_bytes()
    return BytesParser(policy=policy.default).parsebytes(content)


def parts(mail: EmailMessage, content_type: str) -> list[EmailMessage]:
    return [part for part in mail.walk() if part.get_content_type() == content_type]


class TestCompose:
    @pytest.mark.parametrize("template", FACTS)
    def test_goes_from_the_organiser_to_the_customer_as_text_and_html(self, template: str) -> None:
        mail = parsed(unsaved(template))
        assert (mail["From"], mail["To"]) == (
            "Example Tickets <tickets@tickets.example>",
            "ada@customers.example",
        )
        [text], [html] = parts(mail, "text/plain"), parts(mail, "text/html")
        assert "Example Tickets" in text.get_content()
        assert "<!DOCTYPE html>" in html.get_content()
        [alternatives] = parts(mail, "multipart/alternative")
        assert [part.get_content_type() for part in alternatives.iter_parts()] == ["text/plain", "text/html"]

    def test_has_an_id_that_follows_from_the_sending(self) -> None:
        notification = unsaved("booking_confirmed")
        assert parsed(notification)["Message-ID"] == f"<{notification.id}.1@tickets.example>"
        assert parsed(notification, sending=2)["Message-ID"] == f"<{notification.id}.2@tickets.example>"

    def test_asks_for_no_automatic_reply(self) -> None:
        assert parsed(unsaved("booking_confirmed"))["Auto-Submitted"] == "auto-generated"

    def test_carries_the_calendar_file(self) -> None:
        [file] = parts(parsed(unsaved("booking_confirmed")), "text/calendar")
        assert (file.get_filename(), file.get_param("method"), file.get_content_disposition()) == (
            "booking.ics",
            "PUBLISH",
            "attachment",
        )
        content = file.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert b"\r\nUID:" in content
        assert Calendar.from_ical(content).walk("VEVENT")[0]["UID"] == BOOKING

    def test_withdraws_what_the_calendar_has(self) -> None:
        [file] = parts(parsed(unsaved("booking_cancelled")), "text/calendar")
        assert file.get_param("method") == "CANCEL"
        assert not parts(parsed(unsaved("booking_cancelled", start_time=None)), "text/calendar")

    def test_shows_the_code_as_a_picture_within_the_html(self) -> None:
        mail = parsed(unsaved("ticket_activated"))
        assert mail.get_content_type() == "multipart/related"
        [picture], [html] = parts(mail, "image/png"), parts(mail, "text/html")
        assert picture.get_content_disposition() == "inline"
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
        assert text_in(picture.get_content()) == CODE

    def test_shows_no_picture_without_a_code(self) -> None:
        mail = parsed(unsaved("ticket_activated", redemption_code=None))
        assert not parts(mail, "image/png")
        assert "cid:" not in parts(mail, "text/html")[0].get_content()

    def test_lets_no_title_become_a_header(self) -> None:
        mail = parsed(unsaved("booking_confirmed", title="Carmen\r\nBcc: eve@evil.example\r\n\r\nHello"))
        assert mail["Subject"] == "Booking confirmed: Carmen Bcc: eve@evil.example Hello (KMNPQRSTVW)"
        assert mail["Bcc"] is None

    @pytest.mark.parametrize("title", ["Zażółć gęślą 😀", "x" * 200, "ż" * 200])
    def test_takes_any_title(self, title: str) -> None:
        assert parsed(unsaved("booking_confirmed", title=title))["Subject"].strip() == (
            f"Booking confirmed: {title} (KMNPQRSTVW)"
        )

    @pytest.mark.parametrize(
        "email",
        [
            "",
            "ada",
            "ada@customers.example\nBcc: eve@evil.example",
            "ada@customers.example, eve@evil.example",
            "Ada <ada@customers.example>",
        ],
    )
    def test_gives_up_when_there_is_nobody_to_send_to(self, email: str) -> None:
        with pytest.raises(GiveUp, match="it is no e-mail address"):
            compose(unsaved("booking_confirmed", email=email), sending=1)

    def test_gives_up_when_a_header_would_break(self, settings: Settings) -> None:
        settings.DEFAULT_FROM_EMAIL = "Example\nBcc: eve@evil.example <tickets@tickets.example>"
        with pytest.raises(GiveUp, match="newlines"):
            compose(unsaved("booking_confirmed"), sending=1)
