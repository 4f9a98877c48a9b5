"""What may go wrong upstream, told apart by whether trying again can help."""

from tickets_project.outbox.outcomes import GiveUp

_LONGEST_EXCERPT = 500
# Request Timeout, Too Early, Too Many Requests: the 4xx that pass by themselves.
_PASSING = frozenset({408, 425, 429})


class UpstreamError(Exception):
    """A call was not answered as its operation's table says.

    :param operation: the method and the path, such as `PUT files-api/files/1/content`
    :param status: the HTTP status, or None when no answer came
    :param excerpt: the start of the answer's body
    """

    def __init__(self, message: str, *, operation: str = "", status: int | None = None, excerpt: str = "") -> None:
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.excerpt = excerpt


class TemporaryUpstreamError(UpstreamError):
    """Trying again may help: no answer, a broken connection, or an answer that nobody agreed on."""


class PermanentUpstreamError(UpstreamError, GiveUp):
    """The service refuses the call itself, so trying again cannot help."""


def no_answer(operation: str, reason: str) -> TemporaryUpstreamError:
    """Return the error for a call whose answer never came."""
    return TemporaryUpstreamError(
        f"{reason}. Check GATEWAY_URL and the service; a retry may help ({operation})", operation=operation
    )


def unlisted_answer(operation: str, status: int, body: bytes, reason: str = "") -> UpstreamError:
    """Return the error for an answer outside the operation's table."""
    excerpt = _excerpt(body)
    permanent = 400 <= status < 500 and status not in _PASSING  # noqa: PLR2004 - HTTP's own bounds
    advice = "Correct the request or our access: a retry cannot help" if permanent else "A retry may help"
    # What is most telling comes first, since lists show the beginning.
    message = f"answered {status}{reason and f' ({reason})'}. {advice} ({operation}). The answer: {excerpt or 'empty'}"
    kind = PermanentUpstreamError if permanent else TemporaryUpstreamError
    return kind(message, operation=operation, status=status, excerpt=excerpt)


def _excerpt(body: bytes) -> str:
    # The text ends up in a PostgreSQL column, which takes no NUL.
    return body[: 4 * _LONGEST_EXCERPT].decode(errors="replace").replace("\0", "")[:_LONGEST_EXCERPT].strip()
