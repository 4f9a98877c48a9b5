"""The simulated files service: one file in a folder per document, so that people can look at them."""

from http import HTTPStatus
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import quote, unquote

from tickets_project.gateway.simulator.operations import Operation
from tickets_project.gateway.simulator.wire import Answer, Refusal, Request, json_answer

_LONGEST_NAME = 255


class Files:
    """What the folder holds, also from earlier runs; only the content types are kept in memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._content_types: dict[str, str] = {}

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("files.put", "PUT", "/files-api/files/{file_id}/content", self.put),
            Operation("files.content", "GET", "/files-api/files/{file_id}/content", self.content),
            Operation("files.list", "GET", "/files-api/files", self.listing),
        )

    def reset(self) -> None:
        """Remove the files; folders inside the folder are nobody's documents and stay."""
        for path in self._paths():
            path.unlink()
        self._content_types.clear()

    def put(self, request: Request, file_id: str) -> Answer:
        """Store a document, unless there is one."""
        try:
            with self._path(file_id).open("xb") as file:
                file.write(request.body)
        except FileExistsError:
            return json_answer(HTTPStatus.CONFLICT, {"error": f"The file {file_id} exists."})
        self._content_types[file_id] = request.headers.get("content-type") or _guess(file_id)
        return json_answer(HTTPStatus.CREATED, {"file_id": file_id})

    def content(self, _request: Request, file_id: str) -> Answer:
        """Return a document as it was stored."""
        try:
            body = self._path(file_id).read_bytes()
        except FileNotFoundError:
            return json_answer(HTTPStatus.NOT_FOUND, {"error": f"There is no file {file_id}."})
        return Answer(HTTPStatus.OK, body, self._content_types.get(file_id) or _guess(file_id))

    def listing(self, _request: Request) -> Answer:
        """Return the ids of all documents, in alphabetical order."""
        return json_answer(HTTPStatus.OK, {"files": sorted(unquote(path.name) for path in self._paths())})

    def _paths(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.is_file()]

    def _path(self, file_id: str) -> Path:
        # Quoted, a name has neither slashes nor NUL; the two dot names are what is left to climb with.
        name = quote(file_id, safe="")
        if name in {".", ".."} or len(name) > _LONGEST_NAME:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{file_id[:_LONGEST_NAME]!r} cannot be a file id.")
        return self._folder / name


def _guess(file_id: str) -> str:
    content_type = guess_type(file_id)[0] or "application/octet-stream"
    return f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
