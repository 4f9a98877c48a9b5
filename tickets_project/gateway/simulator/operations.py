"""Operations: what a simulated service declares, and how a request finds its own."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

from tickets_project.gateway.simulator.wire import Answer, Refusal, Request


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of a service's table; each {name} in the path is passed on as a decoded argument."""

    name: str
    method: str
    path: str
    handler: Callable[..., Answer]

    def answer(self, request: Request, arguments: dict[str, str]) -> Answer:
        """Let the handler do the work; its refusal is an answer too."""
        try:
            return self.handler(request, **arguments)
        except Refusal as refusal:
            return refusal.answer


class Service(Protocol):
    """What each service's module offers; all run in one thread, so state needs no locks."""

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""

    def reset(self) -> None:
        """Forget everything."""


class Operations:
    """All operations, found by name or by request."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_name = {operation.name: operation for operation in operations}
        self._patterns = [(_pattern(operation.path), operation) for operation in self._by_name.values()]

    def require(self, name: str) -> None:
        """Check that there is such an operation.

        :raises Refusal: 400
        """
        if name not in self._by_name:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"There is no operation {name!r}; take one of {[*self._by_name]}.")

    def find(self, request: Request) -> tuple[Operation, dict[str, str]]:
        """Return the request's operation and the arguments in its path.

        :raises Refusal: 404 for an unknown path, 405 for another method, 400 for a path that is not UTF-8
        """
        found = [(match, row) for pattern, row in self._patterns if (match := pattern.fullmatch(request.path))]
        for match, operation in found:
            if operation.method == request.method:
                return operation, {name: _decoded(text) for name, text in match.groupdict().items()}
        if found:
            methods = ", ".join(operation.method for _, operation in found)
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.path} takes {methods}, not {request.method}.")
        raise Refusal(HTTPStatus.NOT_FOUND, f"Nothing is served at {request.path}.")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{text} is not percent-encoded UTF-8.") from error
