"""How things look on admin pages: badges, links, times, tables beside the fields, and buttons."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

LONGEST_LINE = 160

_MODULE = re.compile(r"^([a-z_]\w*\.)+(?=[A-Z]\w*(:|$))")


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

    method: ClassVar[str] = "post"
    url: str
    label: str
    asks_for: str = ""
    variant: str = "primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkButton:
    """A button on a detail page that leads to the page that asks before it acts."""

    method: ClassVar[str] = "get"
    url: str
    label: str
    variant: str = "default"


@dataclass(frozen=True, slots=True)
class Badges:
    """Which colour belongs to which status; any other stays grey."""

    variants: Mapping[str, str] = field(default_factory=dict)

    def show(self, status: str) -> SafeString:
        """Return the status as a badge."""
        context = {"text": status.replace("_", " "), "variant": self.variants.get(status, "")}
        return render_to_string("unfold/helpers/label.html", context)


def link(view: str, text: object, *arguments: object, query: Mapping[str, str] | None = None) -> SafeString:
    """Return a link to a page of the admin, such as `bookings_show_change`."""
    url = reverse(f"admin:{view}", args=arguments, query=query)
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def unbroken(text: object) -> SafeString:
    """Return a text that stays on one line."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def moment(at: datetime | None) -> SafeString:
    """Return a time to the second, in the project's time zone."""
    return unbroken(f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}") if at else SafeString("-")


def day(at: datetime) -> SafeString:
    """Return the day of a time, in the project's time zone."""
    return unbroken(f"{timezone.localtime(at):%Y-%m-%d}")


def day_and_time(at: datetime) -> str:
    """Return a time to the minute, in the project's time zone."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """Return the time of day, in the project's time zone."""
    return f"{timezone.localtime(at):%H:%M:%S}"


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit."""
    return "now" if (now - since).total_seconds() < 60 else timesince(since, now, depth=1)  # noqa: PLR2004 - a minute


def column(title: str, show: Callable[[Any], object]) -> Callable[[Any], object]:
    """Return a column of a list, or a read-only field, that shows something of a row."""

    @admin.display(description=title)
    def shown(row: Model) -> object:
        return show(row)

    return shown


def moment_column(name: str, title: str = "") -> Callable[[Any], object]:
    """Return a column, or a read-only field, that shows a time of a row."""
    return column(title or name.removesuffix("_at").replace("_", " "), lambda row: moment(getattr(row, name)))


def last_line(text: str, *, longest: int = LONGEST_LINE) -> str:
    """Return the line of a traceback that names the error, shortened and without the error's module."""
    *_, line = text.strip().splitlines() or [""]
    line = _MODULE.sub("", line.strip())
    return line if len(line) <= longest else f"{line[:longest]}…"


def preformatted(text: str) -> SafeString:
    """Return a text as it is, line by line."""
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return format_html('<pre class="font-mono text-xs" style="{}">{}</pre>', style, text) if text else SafeString("-")


def pretty_json(value: object) -> SafeString:
    """Return JSON one field a line."""
    return preformatted(json.dumps(value, indent=2, ensure_ascii=False))
