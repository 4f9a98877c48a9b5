"""What each template needs."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.tickets_project.notifications.made import BOOKING, FACTS
from tickets_project.notifications.catalogue import TEMPLATES, stored_context


class TestStoredContext:
    @pytest.mark.parametrize(
        ("template", "required"),
        [
            ("booking_confirmed", "booking_id confirmation_code start_time end_time location tickets_count"),
            ("booking_cancelled", "booking_id reason refund_amount"),
            ("ticket_activated", "ticket_id ticket_type activation_code qr_code_url valid_until"),
            ("ticket_redeemed", "ticket_id redeemed_at location"),
            ("refund_processed", "ticket_id refund_amount currency"),
            ("booking_reminder", "booking_id confirmation_code start_time location hours_before"),
            ("vip_bundle_finalized", "vip_bundle_id success"),
            ("vip_bundle_stuck", "vip_bundle_id title state waits_for url"),
        ],
    )
    def test_needs_what_is_promised_and_nothing_more(self, template: str, required: str) -> None:
        needed = {name: FACTS[template][name] for name in required.split()}
        assert stored_context(template, needed).keys() == needed.keys()
        for name in needed:
            with pytest.raises(ValueError, match=f"^{template} needs {name}.$"):
                stored_context(template, {key: value for key, value in needed.items() if key != name})

    def test_knows_eight_templates(self) -> None:
        assert TEMPLATES.keys() == FACTS.keys()

    def test_refuses_an_unknown_template(self) -> None:
        with pytest.raises(ValueError, match="There is no template birthday"):
            stored_context("birthday", {})

    def test_refuses_a_fact_that_the_mail_does_not_know(self) -> None:
        with pytest.raises(ValueError, match="refund_processed knows no titel"):
            stored_context("refund_processed", FACTS["refund_processed"] | {"titel": "Carmen"})

    def test_stores_times_in_utc(self) -> None:
        madrid = datetime(2026, 5, 2, 20, tzinfo=timezone(timedelta(hours=2)))
        said = FACTS["booking_confirmed"] | {"start_time": madrid, "end_time": "2026-05-02T23:00:00+02:00"}
        stored = stored_context("booking_confirmed", said)
        assert (stored["start_time"], stored["end_time"]) == ("2026-05-02T18:00:00Z", "2026-05-02T21:00:00Z")

    @pytest.mark.parametrize("wrong", [datetime(2026, 5, 2, 20), "2026-05-02T20:00:00", "soon", 5])  # noqa: DTZ001 - the point
    def test_refuses_a_time_that_is_none(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"^start_time "):
            stored_context("booking_confirmed", FACTS["booking_confirmed"] | {"start_time": wrong})

    def test_stores_ids_and_decimals_as_text(self) -> None:
        said = {"booking_id": UUID(BOOKING), "reason": None, "refund_amount": Decimal("50.30")}
        assert stored_context("booking_cancelled", said) == {
            "booking_id": BOOKING,
            "reason": None,
            "refund_amount": "50.30",
        }

    def test_refuses_what_is_no_json(self) -> None:
        with pytest.raises(ValueError, match=r"^reason: "):
            stored_context("booking_cancelled", FACTS["booking_cancelled"] | {"reason": object()})
