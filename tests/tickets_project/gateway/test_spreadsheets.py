"""The spreadsheets client against the simulated spreadsheets service."""

from collections.abc import Callable

import pytest

from tickets_project.gateway import spreadsheets
from tickets_project.gateway.errors import TemporaryUpstreamError

ROW = ["t-1", "zażółć@example.com", "50.30", "EUR"]


def append(sheet: str = "tickets-to-print") -> None:
    spreadsheets.append_row(sheet=sheet, columns=ROW)


class TestAppendRow:
    @pytest.mark.usefixtures("simulator")
    def test_appends_to_the_named_sheet_alone(self) -> None:
        append("tickets-to-print")
        spreadsheets.append_row(sheet="tickets-to-print", columns=("t-2",))
        append("tickets-to-refund")
        assert spreadsheets.rows("tickets-to-print") == [ROW, ["t-2"]]
        assert spreadsheets.rows("tickets-to-refund") == [ROW]

    def test_leaves_two_rows_when_called_again_after_a_lost_answer(self, fault: Callable[..., None]) -> None:
        fault("spreadsheets.append", drop="after")
        with pytest.raises(TemporaryUpstreamError):
            append()
        append()
        assert spreadsheets.rows("tickets-to-print") == [ROW, ROW]

    @pytest.mark.parametrize("sheet", ["a/b", "tickets to print", "100%", "../sheets/a", "ż?#"])
    @pytest.mark.usefixtures("simulator")
    def test_takes_any_name(self, sheet: str) -> None:
        append(sheet)
        assert spreadsheets.rows(sheet) == [ROW]

    @pytest.mark.usefixtures("simulator")
    def test_refuses_a_name_that_no_url_holds(self) -> None:
        with pytest.raises(ValueError, match="cannot be a name in a URL"):
            append("..")

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("spreadsheets.append", append)


class TestRows:
    @pytest.mark.usefixtures("simulator")
    def test_returns_nothing_for_a_sheet_that_nobody_wrote_to(self) -> None:
        assert spreadsheets.rows("tickets-to-print") == []

    def test_is_temporary_for_a_strange_answer(self, answering: Callable[[bytes], None]) -> None:
        answering(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"rows": [[1]]}')
        with pytest.raises(TemporaryUpstreamError):
            spreadsheets.rows("tickets-to-print")

    def test_tells_faults_apart(self, tells_faults_apart: Callable[..., None]) -> None:
        tells_faults_apart("spreadsheets.rows", lambda: spreadsheets.rows("tickets-to-print"))
