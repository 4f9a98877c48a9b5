"""Bodies that must be refused with 400 and a sentence, never with 500."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tickets_project.api.parsers import MAX_DEPTH


def post(raw: bytes | str, content_type: str = "application/json") -> Any:
    return APIClient().post("/api/v1/everything/", raw, content_type=content_type)


def nested(depth: int) -> str:
    return '{"text":' + "[" * depth + "]" * depth + "}"


@pytest.mark.django_db
class TestStrictJSONParser:
    @pytest.mark.parametrize(
        ("raw", "sentence"),
        [
            (b"{", "The body is not JSON"),
            (b"{'text': 1}", "The body is not JSON"),
            (b'{"text": "a\nb"}', "The body is not JSON"),
            (b'{"text": 1} {}', "The body is not JSON"),
            (b"\xef\xbb\xbf{}", "The body is not JSON"),
            (b'{"text": "\xff"}', "not UTF-8"),
            (b'{"text": "\xed\xa0\x80"}', "not UTF-8"),
            (b'{"text": NaN}', "NaN is not a JSON number"),
            (b'{"text": -Infinity}', "-Infinity is not a JSON number"),
            (b'{"text": 1e999}', "too large"),
            (b'{"text": 9223372036854775808}', "64 bits"),
            (b'{"text": ' + b"9" * 5000 + b"}", "64 bits"),
            (b'{"text": "a", "text": "b"}', 'The field "text" is given twice.'),
            (b'{"price": {"amount": "1", "amount": "2"}}', 'The field "amount" is given twice.'),
            (b'{"text": "\\ud800"}', "half of a surrogate pair"),
            (b'{"passengers": [{"name": "a\\uDFFFb"}]}', "half of a surrogate pair"),
            (b'{"\\ud800": 1}', "half of a surrogate pair"),
            (b"[]", "must be a JSON object"),
            (b"null", "must be a JSON object"),
            (b'"text"', "must be a JSON object"),
            (b"1", "must be a JSON object"),
        ],
    )
    def test_refuses(self, raw: bytes, sentence: str) -> None:
        response = post(raw)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
        assert sentence in response.json()["detail"]

    @pytest.mark.parametrize("raw", ["[" * 100_000, nested(100_000), nested(900), nested(MAX_DEPTH), '{"a":' * 50_000])
    def test_refuses_deep_nesting(self, raw: str) -> None:
        response = post(raw)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
        assert "nests deeper" in response.json()["detail"]

    def test_leaves_what_is_no_deeper_to_the_serializer(self) -> None:
        assert post(nested(MAX_DEPTH - 1)).json()["code"] == "invalid"

    def test_takes_whole_surrogate_pairs_and_other_scripts(self) -> None:
        assert post(b'{"text": "\\ud83c\\udfab \xc3\xa9"}').json() == {"text": "🎫 é"}

    def test_reads_utf8_whatever_charset_is_declared(self) -> None:
        assert post('{"text": "é"}'.encode(), "application/json; charset=latin-1").json() == {"text": "é"}

    def test_takes_no_body_for_an_empty_object(self) -> None:
        assert post(b"").json() == {}

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
    def test_refuses_other_content_types(self, content_type: str) -> None:
        response = post(b"{}", content_type)
        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")

    def test_refuses_a_body_that_is_too_large(self) -> None:
        response = post(b'{"text": "' + b"a" * 2_621_440 + b'"}')
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
