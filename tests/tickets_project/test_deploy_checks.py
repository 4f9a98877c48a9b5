"""What `manage.py check --deploy` refuses."""

import pytest
from pytest_django import Settings

from tickets_project.deploy_checks import (
    check_mail_leaves_the_house,
    check_nothing_is_embedded,
    check_proxies_are_counted,
    check_vendor_webhook_is_signed,
)


class TestCheckNothingIsEmbedded:
    def test_names_each_variable_that_is_unset(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = ["SECRET_KEY", "GATEWAY_URL"]
        found = check_nothing_is_embedded(None)
        assert [fault.id for fault in found] == ["tickets.E001"] * 2
        assert ["SECRET_KEY" in fault.msg for fault in found] == [True, False]

    def test_is_content_when_all_are_set(self, settings: Settings) -> None:
        settings.EMBEDDED_DEFAULTS = []
        assert check_nothing_is_embedded(None) == []


class TestCheckVendorWebhookIsSigned:
    @pytest.mark.parametrize("secret", ["", "a-password", "whsec_", "whsec_a", "whsec_ż", "Y2hlY2s="])
    def test_refuses_what_is_no_secret(self, settings: Settings, secret: str) -> None:
        settings.VENDOR_WEBHOOK_SECRET = secret
        assert [fault.id for fault in check_vendor_webhook_is_signed(None)] == ["tickets.E002"]

    def test_takes_a_standard_webhooks_secret(self, settings: Settings) -> None:
        settings.VENDOR_WEBHOOK_SECRET = "whsec_Y2hlY2s="
        assert check_vendor_webhook_is_signed(None) == []


class TestCheckProxiesAreCounted:
    def test_wants_a_proxy_where_there_is_tls(self, settings: Settings) -> None:
        settings.HTTPS, settings.TRUSTED_PROXIES = True, 0
        assert [fault.id for fault in check_proxies_are_counted(None)] == ["tickets.E003"]

    @pytest.mark.parametrize("proxies", [0, 1])
    def test_is_content_without_tls(self, settings: Settings, proxies: int) -> None:
        settings.HTTPS, settings.TRUSTED_PROXIES = False, proxies
        assert check_proxies_are_counted(None) == []

    def test_is_content_with_a_proxy(self, settings: Settings) -> None:
        settings.HTTPS, settings.TRUSTED_PROXIES = True, 1
        assert check_proxies_are_counted(None) == []


class TestCheckMailLeavesTheHouse:
    @pytest.mark.parametrize("kind", ["filebased", "console", "dummy", "locmem"])
    def test_refuses_what_sends_nothing(self, settings: Settings, kind: str) -> None:
        settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
        assert [fault.id for fault in check_mail_leaves_the_house(None)] == ["tickets.E004"]

    @pytest.mark.parametrize(
        "backend", ["django.core.mail.backends.smtp.EmailBackend", "anymail.backends.mailgun.EmailBackend"]
    )
    def test_takes_what_sends(self, settings: Settings, backend: str) -> None:
        settings.EMAIL_BACKEND = backend
        assert check_mail_leaves_the_house(None) == []
