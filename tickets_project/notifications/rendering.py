"""What a mail says: subject, text and HTML, from the notification's facts."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from tickets_project.local_times import local_time
from tickets_project.notifications.catalogue import TEMPLATES, TIMES
from tickets_project.notifications.models import Notification
from tickets_project.qr_codes import in_fours

# What a line leaves that is not said.
_GAP = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One mail in words."""

    subject: str
    text: str
    html: str


def render(notification: Notification, *, picture: str = "") -> Words:
    """Return the mail in words.

    :param picture: the content id under which the mail carries the QR picture
    """
    said = {**_said(notification), "picture": picture}
    folder = f"notifications/{notification.template}"
    return Words(
        subject=one_line(_fill(f"{folder}/subject.txt", said, escape=False)),
        text=_GAP.sub("\n\n", _fill(f"{folder}/body.txt", said, escape=False).strip()) + "\n",
        html=_fill(f"{folder}/body.html", said, escape=True),
    )


def one_line(text: str) -> str:
    """Return the text on one line, without control characters: no header and no line of its own can hide in it."""
    spaced = "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
    return " ".join(spaced.split())


def _fill(name: str, said: dict[str, Any], *, escape: bool) -> str:
    return Engine.get_default().get_template(name).render(Context(said, autoescape=escape))


def _said(notification: Notification) -> dict[str, Any]:
    """Return what the templates may say; facts that were left out, or are empty, are None."""
    facts = TEMPLATES[notification.template]
    told = {name: _readable(name, notification.context.get(name)) for name in facts.required | facts.optional}
    return {
        **told,
        "refund": " ".join(str(told[name]) for name in ("refund_amount", "currency") if told.get(name)),
        "link": _web_address(told.get("qr_code_url") or told.get("url") or ""),
        "code": in_fours(told.get("redemption_code") or ""),
        "organiser": settings.TICKETS_ORGANISER,
        "contact": settings.TICKETS_CONTACT,
    }


def _readable(name: str, value: Any) -> Any:
    match value:
        case str() if name in TIMES:
            return local_time(datetime.fromisoformat(value), settings.TICKETS_TIME_ZONE)
        case str():
            return one_line(value) or None
        case list():
            return [_readable(name, part) for part in value]
        case dict():
            return {key: _readable(key, part) for key, part in value.items()}
    return value


def _web_address(text: str) -> str:
    """Return what a mail may link to: no `javascript:` and nothing relative."""
    return text if text.startswith(("https://", "http://")) else ""
