"""Environment variables, and one clear sentence about each that does not fit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tickets_project.environment import Environment

Read = Callable[[Environment], Any]

READERS: dict[str, Read] = {
    "flag": lambda env: env.flag("X", default=False),
    "number": lambda env: env.number("X", default=5, least=2, most=60),
    "choice": lambda env: env.choice("X", "json", "console", default="json"),
    "hosts": lambda env: env.hosts("X", "localhost"),
    "url": lambda env: env.url("X", "http", "https", default="http://here"),
    "email_address": lambda env: env.email_address("X", "ops@tickets.example"),
    "rate": lambda env: env.rate("X", "600/min"),
    "time_zone": lambda env: env.time_zone("X", "UTC"),
    "database": lambda env: env.database("X", "postgresql://u:p@h/n"),
    "email": lambda env: env.email("X", "consolemail://"),
}


def read(reader: str, text: str | None) -> Any:
    return READERS[reader](Environment({} if text is None else {"X": text}))


class TestEnvironment:
    @pytest.mark.parametrize("reader", READERS)
    @pytest.mark.parametrize("text", ["", "  "])
    def test_takes_an_empty_variable_for_an_unset_one(self, reader: str, text: str) -> None:
        assert read(reader, text) == read(reader, None)

    @pytest.mark.parametrize(
        ("reader", "text"),
        [
            ("flag", "maybe"),
            ("flag", "2"),
            ("number", "1"),
            ("number", "61"),
            ("number", "-5"),
            ("number", "5.0"),
            ("number", "five"),
            ("number", "\u0665"),
            ("number", "9" * 5000),
            ("choice", "xml"),
            ("choice", "JSON"),
            ("hosts", "https://tickets.example"),
            ("hosts", "tickets.example:8000"),
            ("hosts", "tickets.example www.tickets.example"),
            ("url", "gateway:8888"),
            ("url", "ftp://gateway"),
            ("url", "http://"),
            ("url", "http://[::1"),
            ("url", "http://gateway:http"),
            ("url", "http://gateway:70000"),
            ("url", "http://gate way"),
            ("email_address", "ops"),
            ("email_address", "ops@"),
            ("email_address", "@tickets.example"),
            ("email_address", "ops@tickets"),
            ("email_address", "ops @tickets.example"),
            ("email_address", "Operations <ops@tickets.example>"),
            ("email_address", "ops@tickets.example, ann@tickets.example"),
            ("email_address", "ops@tickets.example\nBcc: eve@evil.example"),
            ("email_address", f"ops@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'a' * 60}.example"),
            ("rate", "600"),
            ("rate", "0/min"),
            ("rate", "600/fortnight"),
            ("rate", "OFF"),
            ("time_zone", "Mars/Olympus"),
            ("time_zone", "Europe"),
            ("time_zone", "../etc/passwd"),
            ("time_zone", "UTC+2"),
            ("time_zone", "x" * 300),
            ("database", "tickets"),
            ("database", "mysql://u:secret@h/n"),
            ("database", "postgresql://u:secret@h"),
            ("database", "postgresql://u:secret@h:port/n"),
            ("database", "postgresql://u:secret@[h/n"),
            ("email", "mail.example"),
            ("email", "http://mail.example"),
            ("email", "smtp://u:secret@h:port"),
            ("email", "smtp://["),
        ],
    )
    def test_refuses_in_one_sentence_that_names_the_variable(self, reader: str, text: str) -> None:
        with pytest.raises(ImproperlyConfigured) as error:
            read(reader, text)
        sentence = str(error.value)
        assert sentence.startswith("X ")
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize(
        ("reader", "text"),
        [
            ("url", "redis//:secret@cache"),
            ("database", "postgresql://u:secret@h"),
            ("email", "smt://u:secret@h"),
        ],
    )
    def test_repeats_no_password(self, reader: str, text: str) -> None:
        with pytest.raises(ImproperlyConfigured) as error:
            read(reader, text)
        assert "secret" not in str(error.value)


class TestText:
    def test_has_no_blanks_around_it(self) -> None:
        assert Environment({"X": " a b\n"}).text("X") == "a b"

    def test_is_the_default_when_unset(self) -> None:
        assert (Environment({}).text("X"), Environment({}).text("X", "y")) == ("", "y")


class TestFlag:
    @pytest.mark.parametrize("text", ["1", "on", "true", "yes", "TRUE", " On "])
    def test_is_on(self, text: str) -> None:
        assert read("flag", text) is True

    @pytest.mark.parametrize("text", ["0", "off", "false", "no", "False"])
    def test_is_off(self, text: str) -> None:
        assert Environment({"X": text}).flag("X", default=True) is False


class TestNumber:
    @pytest.mark.parametrize(("text", "number"), [("2", 2), ("60", 60), ("007", 7), (None, 5)])
    def test_is_within_its_bounds(self, text: str | None, number: int) -> None:
        assert read("number", text) == number


class TestChoice:
    def test_is_one_of_the_options(self) -> None:
        assert read("choice", "console") == "console"


class TestHosts:
    def test_are_separated_by_commas(self) -> None:
        assert read("hosts", "tickets.example, .example.org,,[::1], *") == [
            "tickets.example",
            ".example.org",
            "[::1]",
            "*",
        ]


class TestUrl:
    @pytest.mark.parametrize("text", ["http://gateway", "https://gateway:8888/api", "http://[::1]:8888"])
    def test_has_no_slash_at_its_end(self, text: str) -> None:
        assert read("url", text) == read("url", f"{text}/") == text

    def test_may_be_left_out(self) -> None:
        assert Environment({}).url("X", "redis") == ""


class TestEmailAddress:
    @pytest.mark.parametrize("text", ["ops@tickets.example", "night+ops@tickets.example", "ops@localhost"])
    def test_is_one_address(self, text: str) -> None:
        assert read("email_address", f" {text} ") == text

    def test_may_be_left_out(self) -> None:
        assert Environment({}).email_address("X") == ""


class TestRate:
    @pytest.mark.parametrize(("text", "rate"), [("10/s", "10/s"), ("600/hour", "600/hour"), ("off", None)])
    def test_is_a_number_per_period_or_none(self, text: str, rate: str | None) -> None:
        assert read("rate", text) == rate


class TestTimeZone:
    @pytest.mark.parametrize("text", ["Europe/Madrid", "UTC", "Asia/Kolkata"])
    def test_is_an_iana_name(self, text: str) -> None:
        assert read("time_zone", text) == text


class TestDatabase:
    def test_is_read_from_its_url(self) -> None:
        config = read("database", "postgres://ada:p%40ss@db.example:6432/tickets")
        assert (
            config.items()
            >= {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "tickets",
                "USER": "ada",
                "PASSWORD": "p@ss",
                "HOST": "db.example",
                "PORT": 6432,
            }.items()
        )


class TestEmail:
    def test_is_read_from_its_url(self) -> None:
        config = read("email", "smtp+tls://ada:pass@mail.example:587")
        assert (config["EMAIL_HOST"], config["EMAIL_PORT"], config["EMAIL_USE_TLS"]) == ("mail.example", 587, True)
        assert (config["EMAIL_HOST_USER"], config["EMAIL_HOST_PASSWORD"]) == ("ada", "pass")

    def test_goes_to_the_console_by_default(self) -> None:
        assert read("email", None)["EMAIL_BACKEND"].endswith("console.EmailBackend")
