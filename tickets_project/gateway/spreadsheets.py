"""The spreadsheets service: the sheets that people work from, row by row."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from tickets_project.gateway import client

_SERVICE = "spreadsheets-api"


class _Sheet(msgspec.Struct):
    rows: list[list[str]]


def append_row(*, sheet: str, columns: Sequence[str]) -> None:
    """Append a row to a sheet, which need not exist.

    The service takes no key and appends every repeat as well (the gateway's contract): after an unknown outcome,
    look at rows() before calling again.

    :raises UpstreamError: as call() does
    :raises ValueError: if no URL can hold the sheet's name
    """
    body = msgspec.json.encode({"columns": columns})
    client.call(_SERVICE, "POST", _rows_path(sheet), expected=(HTTPStatus.OK,), body=body)


def rows(sheet: str) -> list[list[str]]:
    """Return a sheet's rows, oldest first.

    :raises UpstreamError: as call() and read() do
    :raises ValueError: if no URL can hold the sheet's name
    """
    return client.read(client.call(_SERVICE, "GET", _rows_path(sheet), expected=(HTTPStatus.OK,)), _Sheet).rows


def _rows_path(sheet: str) -> str:
    return f"/sheets/{client.path_segment(sheet)}/rows"
