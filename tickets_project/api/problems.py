"""How a refusal looks on the wire: RFC 9457 problem details.

`type` is always "about:blank", so `title` is the status's own phrase, as the RFC asks; what went wrong is `code`, a
word that never changes, and `detail`, a sentence that may.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of problems, in ASCII, so that whatever a client sent can be quoted back."""

    media_type = "application/problem+json"
    ensure_ascii = True


class Problem(Response):
    """A refusal, rendered as problem details whatever the view or the client would have."""

    def __init__(
        self,
        status: int,
        *,
        code: str,
        detail: str,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take further members of the body, such as `errors` or `current_status`."""
        body = problem_body(status, code=code, detail=detail, members=members or {})
        super().__init__(body, status=status, headers=headers)

    @property
    def rendered_content(self) -> str:
        """The body; also sets the content type."""
        self["Content-Type"] = ProblemRenderer.media_type
        rendered: bytes = ProblemRenderer().render(self.data)
        return rendered.decode()


def problem_body(status: int, *, code: str, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of RFC 9457, `code`, and the further ones, which cannot replace them."""
    return {
        **members,
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
