"""Deploy checks: what is fine for a demo and not for production (`manage.py check --deploy`)."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

_STAYING = [f"django.core.mail.backends.{name}.EmailBackend" for name in ("filebased", "console", "dummy", "locmem")]


@register(Tags.security, deploy=True)
def check_nothing_is_embedded(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse the embedded defaults of variables that production sets."""
    del app_configs
    return [
        Error(f"{name} is not set, so the embedded default is used.", hint=f"Set {name}.", id="tickets.E001")
        for name in settings.EMBEDDED_DEFAULTS
    ]


@register(Tags.security, deploy=True)
def check_proxies_are_counted(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse TLS without the proxy that ends it: all callers would share its address, and one login limit."""
    del app_configs
    if not settings.HTTPS or settings.TRUSTED_PROXIES:
        return []
    hint = "Set TRUSTED_PROXIES to how many proxies of yours stand in front, usually 1."
    return [Error("HTTPS is on and TRUSTED_PROXIES is 0.", hint=hint, id="tickets.E003")]


@register(Tags.security, deploy=True)
def check_vendor_webhook_is_signed(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse a vendor webhook that anybody could call."""
    del app_configs
    if _is_webhook_secret(settings.VENDOR_WEBHOOK_SECRET):
        return []
    return [
        Error(
            "VENDOR_WEBHOOK_SECRET is missing or is no Standard Webhooks secret.",
            hint="Set it to whsec_ followed by base64, as the vendor has it.",
            id="tickets.E002",
        )
    ]


@register(Tags.security, deploy=True)
def check_mail_leaves_the_house(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Refuse an installation whose customers get no e-mail."""
    del app_configs
    if settings.EMAIL_BACKEND not in _STAYING:
        return []
    hint = "Set EMAIL_URL to your mail server, or EMAIL_BACKEND to a provider's of django-anymail."
    return [Error("E-mails are written to files or nowhere.", hint=hint, id="tickets.E004")]


def _is_webhook_secret(text: str) -> bool:
    try:
        Webhook(text)
    except (ValueError, EmptyWebhookSecretError):
        return False
    return text.startswith("whsec_")
