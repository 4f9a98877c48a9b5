"""The files service: ticket documents by their file id."""

from enum import StrEnum
from http import HTTPStatus

import msgspec
import structlog

from tickets_project.gateway import client

_SERVICE = "files-api"

_log = structlog.get_logger(__name__)


class Storing(StrEnum):
    """What became of a document that was sent; both mean that the service has it."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"


class _Listing(msgspec.Struct):
    files: list[str]


def store(file_id: str, content: str) -> Storing:
    """Send an HTML document; one that exists under this id is kept as it is.

    The service answers 409 for it, which is success (the gateway's contract).

    :raises UpstreamError: as call() does
    :raises ValueError: if no URL can hold the file id
    """
    answer = client.call(
        _SERVICE,
        "PUT",
        _content_path(file_id),
        expected=(HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.CONFLICT),
        body=content.encode(),
        content_type="text/html; charset=utf-8",
    )
    if answer.status_code == HTTPStatus.CONFLICT:
        _log.info("file_already_stored", file_id=file_id)
        return Storing.ALREADY_STORED
    return Storing.STORED


def fetch(file_id: str) -> str | None:
    """Return a document, or None when the service has none under this id.

    :raises UpstreamError: as call() does
    :raises ValueError: if no URL can hold the file id
    """
    answer = client.call(_SERVICE, "GET", _content_path(file_id), expected=(HTTPStatus.OK, HTTPStatus.NOT_FOUND))
    return None if answer.status_code == HTTPStatus.NOT_FOUND else answer.content.decode(errors="replace")


def listing() -> list[str]:
    """Return the ids of all documents.

    :raises UpstreamError: as call() and read() do
    """
    return client.read(client.call(_SERVICE, "GET", "/files", expected=(HTTPStatus.OK,)), _Listing).files


def _content_path(file_id: str) -> str:
    return f"/files/{client.path_segment(file_id)}/content"
