"""Who is asking: a bearer token from django-rest-knox, stored as a hash and expiring."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc] # knox has no types
    """Reads `Authorization: Bearer <token>`; another scheme, or none, leaves the question to the session."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """Return the user and the token.

        :raises AuthenticationFailed: if the token is malformed, unknown or expired, or its user inactive
        """
        # Knox decodes the bytes and asks the database for them, and neither takes every byte.
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)

    def _cleanup_token(self, auth_token: AuthToken) -> bool:
        """Tell whether the token has expired; knox would look through all tokens of the user at each request."""
        return auth_token.expiry is not None and auth_token.expiry <= timezone.now()


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its registration has no types
    """Describes the token in the OpenAPI document."""

    target_class = "tickets_project.api.authentication.BearerAuthentication"
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme object."""
        del auto_schema
        return {"type": "http", "scheme": "bearer"}
