"""How things look on admin pages: badges, links, times, tables beside the fields, and buttons that post."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

LONGEST_LINE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table on a detail page; `note` says what an empty one means, or what a full one leaves out."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostButton:
    """A form of one button on a detail page; with `asks_for`, of one text field too, named `reason`."""

    url: str
    label: str
    asks_for: str = ""
    variant: str = "primary"


@dataclass(frozen=True, slots=True)
class Badges:
    """Which colour belongs to which status; any other stays grey."""

    variants: Mapping[str, str] = field(default_factory=dict)

    def show(self, status: str) -> SafeString:
        """Return the status as a badge."""
        context = {"text": status.replace("_", " "), "variant": self.variants.get(status, "")}
        return render_to_string("unfold/helpers/label.html", context)


def link(view: str, arguments: object, text: object) -> SafeString:
    """Return a link to a page of the admin, such as `bookings_show_change`."""
    url = reverse(f"admin:{view}", args=[arguments])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def moment(at: datetime | None) -> str:
    """Return a time to the second, in the project's time zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else "-"


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit."""
    return "now" if (now - since).total_seconds() < 60 else timesince(since, now, depth=1)  # noqa: PLR2004 - a minute


def moment_column(name: str, title: str = "") -> Callable[[Any], str]:
    """Return a column, or a read-only field, that shows a model's time."""

    @admin.display(description=title or name.removesuffix("_at").replace("_", " "), ordering=name)
    def column(row: Model) -> str:
        return moment(getattr(row, name))

    return column


def last_line(text: str) -> str:
    """Return the line of a traceback that names the error, shortened."""
    lines = text.strip().splitlines()
    line = lines[-1].strip() if lines else ""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def preformatted(text: str) -> SafeString:
    """Return a text as it is, line by line."""
    style = "font-mono text-xs whitespace-pre-wrap break-words leading-relaxed"
    return format_html('<pre class="{}">{}</pre>', style, text) if text else SafeString("-")


def pretty_json(value: object) -> SafeString:
    """Return JSON one field a line."""
    return preformatted(json.dumps(value, indent=2, ensure_ascii=False))
