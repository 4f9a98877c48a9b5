"""Who is asking: the vendor, known by the signature of its webhook (standardwebhooks.com)."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from standardwebhooks import Webhook, WebhookVerificationError

_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Vendor:
    """The vendor as a caller: without an account, and without any permission."""

    pk: str = "vendor"
    is_authenticated: bool = True
    is_staff: bool = False

    def has_perm(self, _permission: str) -> bool:
        """Return False."""
        return False


class VendorSignatureAuthentication(BaseAuthentication):
    """Takes what VENDOR_WEBHOOK_SECRET signed within the last five minutes; with DEBUG and no secret, everything."""

    def authenticate(self, request: Request) -> tuple[Vendor, None]:
        """Return the vendor.

        :raises AuthenticationFailed: if the signature does not verify
        """
        secret = settings.VENDOR_WEBHOOK_SECRET
        if not secret and not settings.DEBUG:
            raise AuthenticationFailed("This installation has no secret of the vendor's.", "no_vendor_secret")
        if secret:
            _verify(Webhook(secret), request)
        return Vendor(), None

    def authenticate_header(self, _request: Request) -> str:
        """Return the challenge of a 401."""
        return "StandardWebhooks"


def _verify(webhook: Webhook, request: Request) -> None:
    headers = {name: request.headers.get(name, "") for name in _HEADERS}
    try:
        webhook.verify(request.body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        # The library raises ValueError for a signature that is no base64, and for a body that is no UTF-8.
        raise AuthenticationFailed(
            "The request is not signed, wrongly signed, or more than five minutes old.", "invalid_signature"
        ) from error


class VendorSignatureScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its registration has no types
    """Describes the signature in the OpenAPI document."""

    target_class = "tickets_project.api.vendor_signature.VendorSignatureAuthentication"
    name = "vendorSignature"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme object."""
        del auto_schema
        described = "Standard Webhooks: HMAC-SHA256 of webhook-id.webhook-timestamp.body, beside these two headers."
        return {"type": "apiKey", "in": "header", "name": "webhook-signature", "description": described}
