"""HTTP/1.1 as far as the gateway's clients speak it: requests off a stream, answers onto it."""

import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses
from urllib.parse import parse_qsl

import msgspec

_REQUEST_LINE = re.compile(r"([A-Z]+) (/[^\s?]*)(?:\?(\S*))? HTTP/1\.([01])")
_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*?)[ \t]*")
_LARGEST_BODY = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; the path is still percent-encoded, header names are in lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; no content type stands for no body."""

    status: int
    body: bytes = b""
    content_type: str = ""

    def encoded(self, *, closes: bool, bodiless: bool) -> bytes:
        """Return the whole answer, so that it leaves in one write; `bodiless` is for HEAD."""
        head = (
            f"HTTP/1.1 {self.status} {responses.get(self.status, 'Simulated')}\r\n"
            + (f"Content-Type: {self.content_type}\r\n" if self.content_type else "")
            + ("" if self.status == HTTPStatus.NO_CONTENT else f"Content-Length: {len(self.body)}\r\n")
            + ("Connection: close\r\n\r\n" if closes else "\r\n")
        )
        return head.encode("latin-1") + (b"" if bodiless else self.body)


class Refusal(Exception):
    """The request gets this status and one sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.answer = json_answer(status, {"error": sentence})


def json_answer(status: int, content: object) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, msgspec.json.encode(content), "application/json")


async def read_request(reader: StreamReader, writer: StreamWriter) -> Request | None:
    """Return the next request, or None when the client has hung up.

    :raises Refusal: if it is malformed; the stream is of no use afterwards
    """
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head[:-4].split("\r\n")
        headers = _headers(lines)
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return _request(request_line, headers, await reader.readexactly(_length(headers)))
    except IncompleteReadError:
        return None
    except LimitOverrunError as error:
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are longer than 64 KiB.") from error


def _request(line: str, headers: dict[str, str], body: bytes) -> Request:
    parts = _REQUEST_LINE.fullmatch(line)
    if not parts:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The request line must read: METHOD /path HTTP/1.1.")
    method, path, query, minor = parts.groups()
    return Request(
        method=method,
        path=path,
        query=dict(parse_qsl(query)) if query else {},
        headers=headers,
        body=body,
        closes=minor == "0" or headers.get("connection", "").lower() == "close",
    )


def _headers(lines: list[str]) -> dict[str, str]:
    matches = [_HEADER.fullmatch(line) for line in lines]
    if not all(matches):
        raise Refusal(HTTPStatus.BAD_REQUEST, "A header line must read: Name: value.")
    return {match[1].lower(): match[2] for match in matches if match}


def _length(headers: dict[str, str]) -> int:
    """Return the body's length in bytes."""
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        raise Refusal(HTTPStatus.LENGTH_REQUIRED, "Send Content-Length instead of Transfer-Encoding.")
    if not text.isascii() or not text.isdigit():
        raise Refusal(HTTPStatus.BAD_REQUEST, "Content-Length must be a whole number.")
    if int(text[:20]) > _LARGEST_BODY:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {_LARGEST_BODY} bytes.")
    return int(text)
