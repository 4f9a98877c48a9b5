"""How often a caller may ask."""

from typing import TYPE_CHECKING

from knox.models import AuthToken
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    # That module imports this one while it is read.
    from rest_framework.views import APIView


class TokenRateThrottle(UserRateThrottle):
    """Counts the requests of each token; those without one by user, or by address."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Return the name of the caller's counter."""
        if isinstance(request.auth, AuthToken):
            return f"throttle_token_{request.auth.pk}"
        return super().get_cache_key(request, view)
