"""The mail itself: text and HTML, the QR picture in it, the calendar file beside it."""

from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.text import MIMEText
from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.validators import validate_email

from tickets_project.notifications.calendars import calendar_file
from tickets_project.notifications.models import Notification
from tickets_project.notifications.rendering import render
from tickets_project.outbox.outcomes import GiveUp
from tickets_project.qr_codes import qr_png


class MailWithPicture(EmailMultiAlternatives):
    """A mail whose picture belongs to its HTML: programs show it there, and not as a file beside it."""

    mixed_subtype = "related"


def compose(notification: Notification, *, sending: int) -> EmailMultiAlternatives:
    """Return the mail. Its Message-ID stays the same when one sending is repeated, so that mail programs show one.

    :raises GiveUp: if its address is none, or a header would break
    """
    _check_address(notification.email)
    code = notification.context.get("redemption_code")
    mail = (MailWithPicture if code else EmailMultiAlternatives)(to=[notification.email])
    domain = parseaddr(mail.from_email)[1].rpartition("@")[2]
    content_id = f"qr.{notification.id}@{domain}" if code else ""
    words = render(notification, picture=content_id)
    mail.subject, mail.body = words.subject, words.text
    mail.attach_alternative(words.html, "text/html")
    if code:
        mail.attach(_picture(code, content_id))
    if entry := calendar_file(notification):
        mail.attach(_calendar(*entry))
    # No out-of-office reply answers what is generated (RFC 3834).
    message_id = f"<{notification.id}.{sending}@{domain}>"
    mail.extra_headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    _check_headers(mail)
    return mail


def _picture(code: str, content_id: str) -> MIMEBase:
    part = MIMEImage(qr_png(code), "png")
    part.add_header("Content-ID", f"<{content_id}>")
    part.add_header("Content-Disposition", "inline", filename="ticket.png")
    return part


def _calendar(method: str, content: bytes) -> MIMEBase:
    part = MIMEText(content.decode(), "calendar", "utf-8")
    part.set_param("method", method)
    part.add_header("Content-Disposition", "attachment", filename="booking.ics")
    return part


def _check_address(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise GiveUp(f"No mail can be sent to {email!r}: it is no e-mail address.") from error


def _check_headers(mail: EmailMultiAlternatives) -> None:
    try:
        mail.message()
    except BadHeaderError as error:
        raise GiveUp(str(error)) from error
