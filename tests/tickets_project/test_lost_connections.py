"""Both ends of a connection notice that the other one is gone; tests/crash/hosts/ has it happen."""

import pytest
from django.db import connection

from tickets_project.lost_connections import LOST_AFTER_SECONDS, noticing_loss

TWO_HOURS = "7200"


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        [value] = cursor.fetchone()
    return str(value)


class TestNoticingLoss:
    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("name", "value"),
        [("client_connection_check_interval", "2s"), ("idle_in_transaction_session_timeout", "1min")],
    )
    def test_reaches_the_server(self, name: str, value: str) -> None:
        assert shown(name) == value

    def test_has_both_ends_wait_equally_long(self) -> None:
        ours = noticing_loss({})
        waited = ours["keepalives_idle"] + ours["keepalives_interval"] * ours["keepalives_count"]
        assert waited == LOST_AFTER_SECONDS == ours["tcp_user_timeout"] / 1000
        for name in ("idle", "interval", "count"):
            assert f"-c tcp_keepalives_{name}={ours[f'keepalives_{name}']} " in ours["options"]

    def test_leaves_what_the_installation_says(self) -> None:
        given = {"sslmode": "verify-full", "keepalives_idle": 60, "options": "-c tcp_keepalives_idle=60"}
        merged = noticing_loss(given)
        assert (merged["sslmode"], merged["keepalives_idle"]) == ("verify-full", 60)
        assert merged["options"].startswith("-c tcp_keepalives_idle=4 ")
        assert merged["options"].endswith(" -c tcp_keepalives_idle=60")
