"""Whose webhook gets in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.signing import SECRET, post_signed, signature
from tickets_project.api.vendor_signature import Vendor, VendorSignatureAuthentication

BODY = b'{"tickets": []}'


class VendorOnly(APIView):
    """Tells who asks, and answers the body."""

    authentication_classes = (VendorSignatureAuthentication,)

    def post(self, request: Request) -> Response:
        user = request.user
        return Response({"caller": user.pk, "staff": user.is_staff, "data": request.data})


urlpatterns = [path("api/v1/vendor-only/", VendorOnly.as_view())]
PATH = "/api/v1/vendor-only/"


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.VENDOR_WEBHOOK_SECRET = SECRET


def assert_refused(response: Any, code: str = "invalid_signature") -> None:
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "StandardWebhooks")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.json()["status"], response.json()["code"]) == (401, code)


class TestVendorSignatureAuthentication:
    def test_knows_the_vendor(self, stranger: APIClient) -> None:
        response = post_signed(stranger, PATH, BODY)
        assert response.status_code == 200
        assert response.json() == {"caller": "vendor", "staff": False, "data": {"tickets": []}}

    def test_signs_the_bytes_of_the_body(self, stranger: APIClient) -> None:
        assert post_signed(stranger, PATH, '{ "name":  "Zażółć 😀" }'.encode()).json()["data"] == {"name": "Zażółć 😀"}

    @pytest.mark.parametrize("seconds", [-290, 0, 290])
    def test_takes_a_clock_that_is_not_quite_right(self, stranger: APIClient, seconds: int) -> None:
        signed = signature(BODY, at=datetime.now(UTC) + timedelta(seconds=seconds))
        assert post_signed(stranger, PATH, BODY, **signed).status_code == 200

    @pytest.mark.parametrize("seconds", [-310, 310])
    def test_refuses_what_is_five_minutes_away(self, stranger: APIClient, seconds: int) -> None:
        signed = signature(BODY, at=datetime.now(UTC) + timedelta(seconds=seconds))
        assert_refused(post_signed(stranger, PATH, BODY, **signed))

    def test_takes_any_of_several_signatures(self, stranger: APIClient) -> None:
        signed = signature(BODY)
        several = {**signed, "webhook-signature": f"v2,YQ== v1,YQ== {signed['webhook-signature']}"}
        assert post_signed(stranger, PATH, BODY, **several).status_code == 200

    def test_refuses_another_body(self, stranger: APIClient) -> None:
        assert_refused(post_signed(stranger, PATH, BODY + b" ", **signature(BODY)))

    def test_refuses_another_secret(self, stranger: APIClient) -> None:
        assert_refused(post_signed(stranger, PATH, BODY, **signature(BODY, secret="whsec_Y2hlY2s=")))

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_needs_each_header(self, stranger: APIClient, name: str) -> None:
        assert_refused(post_signed(stranger, PATH, BODY, **{name: ""}))

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
    def test_signs_the_other_headers(self, stranger: APIClient, name: str) -> None:
        another = {"webhook-id": "msg_1", "webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 1)}
        assert_refused(post_signed(stranger, PATH, BODY, **{name: another[name]}))

    @pytest.mark.parametrize(
        "text", ["v1", "v1,", "v1,a", "v1,a,b", "v1,é", "v1,\xff", ",", " ", "v1a,YQ==", "v2,YQ==", "nonsense"]
    )
    def test_refuses_a_malformed_signature(self, stranger: APIClient, text: str) -> None:
        assert_refused(post_signed(stranger, PATH, BODY, **{"webhook-signature": text}))

    @pytest.mark.parametrize("text", ["now", "nan", "inf", "-1", "1e400", "9" * 400, "0x1", "é"])
    def test_refuses_a_malformed_time(self, stranger: APIClient, text: str) -> None:
        assert_refused(post_signed(stranger, PATH, BODY, **{"webhook-timestamp": text}))

    @pytest.mark.parametrize("body", [b"\xff\xfe", b'{"tickets": "\xc3"}'])
    def test_refuses_a_body_that_is_no_utf_8(self, stranger: APIClient, body: bytes) -> None:
        assert_refused(post_signed(stranger, PATH, body))

    def test_leaves_a_signed_body_that_is_no_json_to_the_parser(self, stranger: APIClient) -> None:
        response = post_signed(stranger, PATH, b"{")
        assert (response.status_code, response.json()["code"]) == (400, "malformed")

    def test_refuses_a_body_that_is_too_large(self, stranger: APIClient, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        response = post_signed(stranger, PATH, BODY)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")

    @pytest.mark.django_db
    def test_takes_no_token_for_a_signature(self, caller: APIClient, ada: User) -> None:
        User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
        assert_refused(caller.post(PATH, {}))

    @pytest.mark.django_db
    def test_takes_no_session_for_a_signature(self, ada: User) -> None:
        client = APIClient()
        client.force_login(ada)
        assert_refused(client.post(PATH, {}))

    @pytest.mark.django_db
    def test_needs_no_token_beside_the_signature(self, caller: APIClient) -> None:
        assert post_signed(caller, PATH, BODY).json()["caller"] == "vendor"


class TestWithoutSecret:
    def test_is_closed(self, stranger: APIClient, settings: Settings) -> None:
        settings.VENDOR_WEBHOOK_SECRET = ""
        assert_refused(post_signed(stranger, PATH, BODY), "no_vendor_secret")
        assert_refused(stranger.post(PATH, {}), "no_vendor_secret")

    def test_is_open_under_debug(self, stranger: APIClient, settings: Settings) -> None:
        settings.VENDOR_WEBHOOK_SECRET, settings.DEBUG = "", True
        assert stranger.post(PATH, {}).json() == {"caller": "vendor", "staff": False, "data": {}}

    def test_is_not_open_under_debug_when_there_is_one(self, stranger: APIClient, settings: Settings) -> None:
        settings.DEBUG = True
        assert_refused(stranger.post(PATH, {}))

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_a"])
    def test_is_not_open_when_the_secret_is_none(self, stranger: APIClient, settings: Settings, secret: str) -> None:
        settings.VENDOR_WEBHOOK_SECRET, settings.DEBUG = secret, True
        assert post_signed(stranger, PATH, BODY).status_code == 500


class TestVendor:
    def test_may_nothing_else(self) -> None:
        assert Vendor().is_authenticated
        assert not Vendor().is_staff
        assert not Vendor().has_perm("bookings.view_ticket")

    def test_stays_as_it_is(self) -> None:
        with pytest.raises(AttributeError):
            Vendor().is_staff = True  # type: ignore[misc]
