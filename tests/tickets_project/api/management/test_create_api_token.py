"""Tokens from the command line."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient


@pytest.mark.usefixtures("ada")
class TestCreateApiToken:
    def test_prints_a_working_token_and_nothing_else(self) -> None:
        out, err = StringIO(), StringIO()
        call_command("create_api_token", "ada", stdout=out, stderr=err)
        token = out.getvalue().removesuffix("\n")
        assert token.isalnum()
        assert err.getvalue() == ""
        assert APIClient().get("/api/v1/whoami/", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    @pytest.mark.parametrize(("options", "days"), [([], 30), (["--days", "7"], 7)])
    def test_gives_it_a_life(self, options: list[str], days: int) -> None:
        call_command("create_api_token", "ada", *options, stdout=StringIO())
        left = AuthToken.objects.get().expiry - timezone.now()
        assert timedelta(days=days - 1) < left <= timedelta(days=days)

    @pytest.mark.parametrize("days", ["0", "-1", "3651", "x"])
    def test_refuses_an_odd_life(self, days: str) -> None:
        with pytest.raises(CommandError, match="--days"):
            call_command("create_api_token", "ada", f"--days={days}")

    def test_refuses_somebody_unknown(self) -> None:
        with pytest.raises(CommandError, match='There is no user "bob"'):
            call_command("create_api_token", "bob")

    def test_refuses_somebody_inactive(self) -> None:
        User.objects.update(is_active=False)
        with pytest.raises(CommandError, match='The user "ada" is not active'):
            call_command("create_api_token", "ada")
        assert not AuthToken.objects.exists()
