"""What a request's body may be: one JSON object in UTF-8 that every reader understands alike."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 32
_TOO_DEEP = f"The body nests deeper than {MAX_DEPTH} levels."
_INTEGERS = range(-(2**63), 2**63)
_INTEGER_CHARACTERS = 20
_SURROGATES = range(0xD800, 0xE000)


class StrictJSONParser(JSONParser):
    """Refuses what JSON leaves open and Python lets pass: repeated fields, NaN, huge numbers, half characters.

    The size is limited by DATA_UPLOAD_MAX_MEMORY_SIZE, which DRF obeys for subclasses of its own JSONParser.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the body as a dictionary.

        :raises ParseError: if it is anything else, with a sentence that says what
        """
        del media_type, parser_context
        body = _decoded(stream.read())
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        _check(body, depth=1)
        return body


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_not_a_number,
        )
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise ParseError(_TOO_DEEP) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ParseError(f'The field "{name}" is given twice.')
        values[name] = value
    return values


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_CHARACTERS or (number := int(digits)) not in _INTEGERS:
        raise ParseError("A whole number in the body does not fit into 64 bits.")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ParseError("A number in the body is too large.")
    return number


def _not_a_number(name: str) -> NoReturn:
    raise ParseError(f"{name} is not a JSON number.")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif depth > MAX_DEPTH:
        raise ParseError(_TOO_DEEP)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    # Neither UTF-8 nor PostgreSQL can hold half of a surrogate pair, yet JSON can spell it ("\ud800").
    if not text.isascii() and any(ord(character) in _SURROGATES for character in text):
        raise ParseError("A text in the body holds half of a surrogate pair.")
