"""A typed reader of environment variables that refuses nonsense with one clear sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

_TRUE = frozenset({"1", "on", "true", "yes"})
_FALSE = frozenset({"0", "off", "false", "no"})
_POSTGRES = frozenset({"postgres", "postgresql"})
_NUMBER = re.compile(r"[0-9]{1,18}")
_HOST = re.compile(r"[^\s/:]+|\[[0-9A-Fa-f:.]+\]")
_RATE = re.compile(r"[1-9][0-9]{0,8}/(s|sec|m|min|h|hour|d|day)")
# What a row with an address has room for.
_LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads one variable per call; an empty variable counts as unset.

    Every method raises ImproperlyConfigured when the text does not fit.
    """

    variables: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """Return the variable without surrounding blanks."""
        return self.variables.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return on/off, true/false, yes/no, 1/0 as a bool."""
        text = self.text(name).lower()
        if text and text not in _TRUE | _FALSE:
            raise ImproperlyConfigured(f"{name} must be on or off, not {text!r}.")
        return text in _TRUE if text else default

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number within its bounds, both included."""
        text = self.text(name, str(default))
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
        return int(text)

    def choice(self, name: str, *options: str, default: str) -> str:
        """Return one of the options."""
        text = self.text(name, default)
        if text not in options:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not {text!r}.")
        return text

    def hosts(self, name: str, default: str) -> list[str]:
        """Return a comma-separated list of host names."""
        hosts = [host.strip() for host in self.text(name, default).split(",") if host.strip()]
        if wrong := [host for host in hosts if not _HOST.fullmatch(host)]:
            raise ImproperlyConfigured(
                f"{name} takes host names separated by commas, without a scheme or a port: {wrong[0]!r}."
            )
        return hosts

    def url(self, name: str, *schemes: str, default: str = "") -> str:
        """Return a URL with one of the schemes and a host, without its trailing slash."""
        text = self.text(name, default)
        scheme, host = _scheme_and_host(text)
        if text and (scheme not in schemes or not host or " " in host):
            # Its text is not repeated, since a password may be in it.
            raise ImproperlyConfigured(f"{name} must be a URL like {schemes[0]}://host:1234.")
        return text.rstrip("/")

    def email_address(self, name: str, default: str = "") -> str:
        """Return one e-mail address, without a name beside it."""
        text = self.text(name, default)
        if text and not _is_email_address(text):
            raise ImproperlyConfigured(f"{name} must be one e-mail address such as ops@tickets.example, not {text!r}.")
        return text

    def rate(self, name: str, default: str) -> str | None:
        """Return a rate such as 600/min, or None for off."""
        text = self.text(name, default)
        if text != "off" and not _RATE.fullmatch(text):
            raise ImproperlyConfigured(f"{name} must be a rate such as 600/min, or off, not {text!r}.")
        return None if text == "off" else text

    def time_zone(self, name: str, default: str) -> str:
        """Return the IANA name of a time zone."""
        text = self.text(name, default)
        try:
            return ZoneInfo(text).key
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ImproperlyConfigured(f"{name} must name a time zone such as Europe/Madrid, not {text!r}.") from error

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's settings of a PostgreSQL database from its URL."""
        text = self.text(name, default)
        config = environ.Env.db_url_config(text) if _scheme_and_host(text)[0] in _POSTGRES else {}
        if not config.get("NAME"):
            raise ImproperlyConfigured(f"{name} must look like postgresql://user:password@host:5432/name.")
        return config

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's EMAIL_* settings from a URL such as smtp+tls://user:password@host:587."""
        text = self.text(name, default)
        if _scheme_and_host(text)[0] not in environ.Env.EMAIL_SCHEMES:
            raise ImproperlyConfigured(f"{name} must look like smtp+tls://user:password@host:587, or consolemail://.")
        return dict(environ.Env.email_url_config(text))


def _is_email_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= _LONGEST_ADDRESS


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Return both in lower case, empty when the URL is none or its port is no number."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return "", ""
    return (parts.scheme, parts.hostname or "") if has_port else ("", "")
