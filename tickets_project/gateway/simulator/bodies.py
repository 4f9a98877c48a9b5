"""Request bodies: JSON of exactly one shape."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from msgspec import DecodeError, Meta, Struct, json

from tickets_project.gateway.simulator.wire import Refusal

T = TypeVar("T")

Text = Annotated[str, Meta(min_length=1)]
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?\Z")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What a body holds, with nothing beside it."""


def parse_body(body: bytes, shape: type[T]) -> T:
    """Return a JSON body as a value of this type.

    :raises Refusal: 400, with the reason
    """
    try:
        return json.decode(body, type=shape)
    except (DecodeError, UnicodeDecodeError) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{error}.") from error
