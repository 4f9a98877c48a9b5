"""What messages are: frozen data with a stored name, and their way to JSON and back.

Pure: no Django. A message names the aggregate that it is about, so that it can be found and kept in order.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

import msgspec


class UndecodableMessage(Exception):
    """The stored payload does not fit the message's class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What publishing adds to a message; `published_at` is in UTC."""

    id: str
    published_at: datetime
    idempotency_key: str
    correlation_id: str


NOT_PUBLISHED = Header(id="", published_at=datetime.min.replace(tzinfo=UTC), idempotency_key="", correlation_id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One fact or request. Subclasses give NAME, which never changes, and AGGREGATE.

    AGGREGATE is (aggregate type, the field that holds its id). Fields are text, numbers, booleans,
    date-times, decimals, money, lists of these and None.
    """

    KIND: ClassVar[str]
    NAME: ClassVar[str]
    AGGREGATE: ClassVar[tuple[str, str]]

    header: Header = field(default=NOT_PUBLISHED, compare=False, repr=False)

    @property
    def aggregate_type(self) -> str:
        """Return the kind of thing that the message is about."""
        return self.AGGREGATE[0]

    @property
    def aggregate_id(self) -> str:
        """Return the id of the thing that the message is about."""
        return str(getattr(self, self.AGGREGATE[1]))

    def payload(self) -> dict[str, Any]:
        """Return the fields as JSON values: decimals as strings, times as RFC 3339 in UTC."""
        fields: dict[str, Any] = msgspec.to_builtins(self, builtin_types=(datetime,))
        del fields["header"]
        return {name: _json_value(value) for name, value in fields.items()}

    @classmethod
    def from_payload(cls, payload: dict[str, Any], header: Header = NOT_PUBLISHED) -> Self:
        """Rebuild the message; fields that a newer version added are ignored.

        :raises UndecodableMessage: if a field is missing or of the wrong type
        """
        try:
            return msgspec.convert({**payload, "header": header}, cls)
        except msgspec.ValidationError as error:
            raise UndecodableMessage(f"{cls.NAME}: {error}") from error


def _json_value(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict():
            return {name: _json_value(part) for name, part in value.items()}
        case list() | tuple():
            return [_json_value(part) for part in value]
    return value


class Event(Message):
    """Something happened; any number of handlers listen."""

    __slots__ = ()
    KIND = "event"


class Command(Message):
    """Something is to be done; exactly one handler does it."""

    __slots__ = ()
    KIND = "command"
