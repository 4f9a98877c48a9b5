"""A ticket's stored document on its way to a browser."""

from django.http import HttpResponse

from bookings.models import Ticket
from tickets_project.gateway import files

# The document runs no script and loads nothing, whatever is in it.
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document_response(ticket: Ticket) -> HttpResponse | None:
    """Return the document from the files service, sandboxed; None while there is none.

    :raises UpstreamError: if the service does not answer as it should
    """
    content = files.fetch(ticket.file_name) if ticket.file_name else None
    return None if content is None else HttpResponse(content, headers={"Content-Security-Policy": _SANDBOX})
