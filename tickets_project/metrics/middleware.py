"""Counting the requests that are answered."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tickets_project.metrics.counters import count_request

# A client may make methods up, and each would be a series for ever.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class CountingMiddleware:
    """Counts each request by its method, the pattern of its address, and the status of the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count it."""
        response = self.get_response(request)
        method = request.method if request.method in _METHODS else "other"
        # An address that is no route, or that was never looked for.
        route = f"/{request.resolver_match.route}" if request.resolver_match else "none"
        count_request(str(method), route, response.status_code)
        return response
