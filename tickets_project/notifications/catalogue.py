"""The catalogue of mails: which facts each template needs, and how they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

TIMES = frozenset({"start_time", "end_time", "valid_until", "redeemed_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The facts of one mail. Any may be None: then the mail says that it is not fixed, or nothing."""

    required: frozenset[str]
    optional: frozenset[str]


def _facts(required: str, optional: str) -> Template:
    return Template(required=frozenset(required.split()), optional=frozenset(optional.split()))


# The required ones are what docs/messages.md promises of each notification.
TEMPLATES: Mapping[str, Template] = {
    "booking_confirmed": _facts(
        "booking_id confirmation_code start_time end_time location tickets_count", "title activation_codes"
    ),
    "booking_cancelled": _facts(
        "booking_id reason refund_amount", "title currency start_time end_time location confirmation_code"
    ),
    "ticket_activated": _facts(
        "ticket_id ticket_type activation_code qr_code_url valid_until", "title redemption_code"
    ),
    "ticket_redeemed": _facts("ticket_id redeemed_at location", "title"),
    "refund_processed": _facts("ticket_id refund_amount currency", "title"),
    "booking_reminder": _facts("booking_id confirmation_code start_time location hours_before", "title end_time"),
    "vip_bundle_finalized": _facts("vip_bundle_id success", "failure_reason title"),
    "vip_bundle_stuck": _facts("vip_bundle_id title state waits_for url", ""),
}


def stored_context(template: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts as JSON: times as RFC 3339 in UTC, ids and decimals as text.

    :raises ValueError: if the template is unknown, a fact is missing or not among its facts, or one is no JSON
    """
    if template not in TEMPLATES:
        raise ValueError(f"There is no template {template}.")
    facts = TEMPLATES[template]
    if missing := facts.required - context.keys():
        raise ValueError(f"{template} needs {', '.join(sorted(missing))}.")
    if unknown := context.keys() - facts.required - facts.optional:
        raise ValueError(f"{template} knows no {', '.join(sorted(unknown))}.")
    return {name: _stored(name, value) for name, value in context.items()}


def _stored(name: str, value: Any) -> Any:
    if value is not None and name in TIMES:
        return _time(name, value)
    try:
        return msgspec.to_builtins(value)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error


def _time(name: str, value: Any) -> str:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no time: {value!r}.") from error
    if at.tzinfo is None:
        raise ValueError(f"{name} needs a time zone: {value!r}.")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
