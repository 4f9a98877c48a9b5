"""What bodies may say."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from tests.tickets_project.api.routes import EverythingSerializer
from tickets_project.api.serializers import IdField, MoneySerializer, TextField, UtcDateTimeField, WholeNumberField
from tickets_project.values import Money


def errors(**body: Any) -> Any:
    serializer = EverythingSerializer(data=body)
    assert not serializer.is_valid()
    return serializer.errors


def value(**body: Any) -> Any:
    serializer = EverythingSerializer(data=body)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


class TestStrictSerializer:
    def test_refuses_an_unknown_field(self) -> None:
        assert errors(text="a", colour="red") == {"colour": ["Unknown field."]}

    def test_refuses_a_field_that_is_only_answered(self) -> None:
        assert errors(made_by="me") == {"made_by": ["Unknown field."]}

    def test_names_wrong_and_unknown_fields_together(self) -> None:
        assert set(errors(text=[], colour="red")) == {"text", "colour"}

    def test_is_strict_inside_too(self) -> None:
        wrong = errors(passengers=[{"name": "ada"}, {"name": "bob", "age": 3}], price={"amount": "1", "tax": "0"})
        assert wrong["passengers"] == {1: {"age": ["Unknown field."]}}
        assert wrong["price"] == {"currency": ["This field is required."], "tax": ["Unknown field."]}

    def test_refuses_nul(self) -> None:
        assert errors(text="a\x00b") == {"text": ["Null characters are not allowed."]}

    def test_refuses_half_of_a_surrogate_pair(self) -> None:
        assert "text" in errors(text="\ud800")

    @pytest.mark.django_db
    def test_quotes_what_it_refuses(self) -> None:
        response = APIClient().post("/api/v1/everything/", {"kind": "\x00é", "\x00": 1})
        assert (response.status_code, set(response.json()["errors"])) == (400, {"kind", "\x00"})


class TestMoneySerializer:
    @pytest.mark.parametrize("amount", ["0", "0.5", "50.30", "99999999.99"])
    def test_takes_a_decimal_string(self, amount: str) -> None:
        money = value(price={"amount": amount, "currency": "EUR"})["price"]
        assert money == Money(amount=Decimal(amount), currency="EUR")
        assert str(money.amount) == f"{Decimal(amount):.2f}"

    @pytest.mark.parametrize(
        "amount",
        [50.3, 50, True, None, "", " 1", "1 ", "1.", ".5", "-1", "-0", "+1", "1.005", "100000000", "1e3", "1E3", "NaN",
         "Infinity", "007", "1,5", "1_000", "٣", "0x1", [], {}],
    )  # fmt: skip
    def test_refuses_anything_else(self, amount: object) -> None:
        assert set(errors(price={"amount": amount, "currency": "EUR"})["price"]) == {"amount"}

    @pytest.mark.parametrize("currency", ["eur", "EU", "EURO", "XXX", "ABC", "", None, 978, " EUR", ["EUR"], {}])
    def test_refuses_what_is_no_currency(self, currency: object) -> None:
        assert set(errors(price={"amount": "1", "currency": currency})["price"]) == {"currency"}

    @pytest.mark.parametrize("price", ["50.30", 50, [], None, {}])
    def test_refuses_what_is_no_money(self, price: object) -> None:
        assert "price" in errors(price=price)

    def test_answers_two_decimals(self) -> None:
        answered = MoneySerializer(Money(amount=Decimal("50.3"), currency="EUR")).data
        assert answered == {"amount": "50.30", "currency": "EUR"}


class TestUtcDateTimeField:
    @pytest.mark.parametrize(
        "text",
        ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00+01:00", "2026-01-01t12:00:00z", "2026-01-01 12:00:00.000000Z"],
    )
    def test_takes_a_time_with_its_offset(self, text: str) -> None:
        taken = value(starts_at=text)["starts_at"]
        assert taken == datetime(2026, 1, 1, 12, tzinfo=UTC)
        assert taken.tzinfo is UTC

    def test_refuses_a_time_without_its_offset(self) -> None:
        (message,) = errors(starts_at="2026-01-01T12:00:00")["starts_at"]
        assert "offset" in message

    @pytest.mark.parametrize(
        "text",
        ["", "x", "2026-01-01", "2026-01-01T25:00:00Z", "2026-02-30T12:00:00Z", "2026-01-01T12:00:60Z", 1767268800,
         None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-W01-1T12:00:00Z", "20260101T120000Z",
         "2026-01-01T12:00:00+99:99", "2026-01-01T12:00:00Z\n", "٢٠٢٦-01-01T12:00:00Z", [], {}],
    )  # fmt: skip
    def test_refuses_what_is_no_time(self, text: object) -> None:
        assert set(errors(starts_at=text)) == {"starts_at"}

    def test_answers_in_utc(self) -> None:
        east = timezone(timedelta(hours=2))
        assert UtcDateTimeField().to_representation(datetime(2026, 1, 1, 14, tzinfo=east)) == "2026-01-01T12:00:00Z"


class TestFieldsOfOneType:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (TextField(), 5),
            (TextField(), True),
            (WholeNumberField(), "5"),
            (WholeNumberField(), True),
            (WholeNumberField(), 5.0),
            (IdField(), 5),
        ],
    )
    def test_refuse_another_type(self, field: serializers.Field[Any, Any, Any, Any], value: object) -> None:
        with pytest.raises(serializers.ValidationError):
            field.run_validation(value)

    def test_take_their_own(self) -> None:
        some_id = "5e7c1d5c-4d2c-4a55-8a3e-2d3a30a1b1a1"
        assert TextField().run_validation("five") == "five"
        assert WholeNumberField().run_validation(5) == 5
        assert str(IdField().run_validation(some_id)) == some_id
