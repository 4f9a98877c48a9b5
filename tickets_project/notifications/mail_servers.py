"""Handing mails over, and telling refusals that stay from those that may pass."""

from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused

from anymail.exceptions import AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail import EmailMessage
from django.utils.encoding import force_str

from tickets_project.outbox.outcomes import GiveUp

# Authentication, which a 5xx asks of us (RFC 4954): nothing that is wrong with one mail.
_ABOUT_OUR_ACCOUNT = frozenset({530, 534, 535, 538})


def hand_over(mail: EmailMessage) -> None:
    """Give a mail to the mail server, or to the provider, that the settings name.

    :raises GiveUp: if it refuses this address or this mail for ever
    :raises Exception: whatever else went wrong, which may pass
    """
    try:
        mail.send()
    except (SMTPException, AnymailError) as error:
        if is_final(error):
            refusal = " ".join(_told(error)) or str(error)
            raise GiveUp(f"The mail server refuses this mail to {mail.to[0]} for ever: {refusal}") from error
        raise


def is_final(error: Exception) -> bool:
    """Tell whether a refusal is about this mail and stays; a server that is down may be back."""
    if isinstance(error, (AnymailRecipientsRefused, AnymailInvalidAddress)):
        return True
    answers = _answers(error)
    return bool(answers) and all(
        code >= 500 and code not in _ABOUT_OUR_ACCOUNT  # noqa: PLR2004 - permanent in SMTP
        for code, _ in answers
    )


def _told(error: Exception) -> list[str]:
    return [f"{code} {force_str(text, errors='replace')}" for code, text in _answers(error)]


def _answers(error: Exception) -> list[tuple[int, bytes | str]]:
    """Return what a mail server said of a mail: the codes with their texts."""
    match error:
        case SMTPRecipientsRefused():
            return list(error.recipients.values())
        case SMTPSenderRefused() | SMTPDataError():
            return [(error.smtp_code, error.smtp_error)]
    return []
