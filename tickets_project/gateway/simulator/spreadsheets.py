"""The simulated spreadsheets service."""

from http import HTTPStatus
from typing import Annotated

from msgspec import Meta

from tickets_project.gateway.simulator.bodies import Body, parse_body
from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.wire import Answer, Request, json_answer

_PATH = "/spreadsheets-api/sheets/{sheet}/rows"


class _Row(Body, frozen=True):
    columns: Annotated[list[str], Meta(min_length=1)]


class Spreadsheets:
    """Every row appended, repeats too; a sheet is there once it has a row."""

    def __init__(self) -> None:
        self._sheets: dict[str, list[list[str]]] = {}

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("spreadsheets.append", "POST", _PATH, self.append),
            Operation("spreadsheets.rows", "GET", _PATH, self.rows),
        )

    def reset(self) -> None:
        """Forget all sheets."""
        self._sheets.clear()

    def append(self, request: Request, sheet: str) -> Answer:
        """Append a row."""
        row = parse_body(request.body, _Row)
        self._sheets.setdefault(sheet, []).append(row.columns)
        return json_answer(HTTPStatus.OK, {})

    def rows(self, _request: Request, sheet: str) -> Answer:
        """Return a sheet's rows, oldest first; none for a sheet that nobody wrote to."""
        return json_answer(HTTPStatus.OK, {"rows": self._sheets.get(sheet, [])})
