"""The numbers in the admin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries, Settings

from tests.tickets_project.analytics.counted import DAY, counted, money
from tickets_project.analytics.admin import numbers_section
from tickets_project.analytics.models import DailyTotal, Kind

pytestmark = pytest.mark.django_db
LIST = "/admin/analytics/dailytotal/"


def shown() -> list[list[str]]:
    """Return what the rows say."""
    return [[strip_tags(str(cell)) for cell in row] for row in numbers_section(today=DAY).rows]


class TestNumbersSection:
    def test_shows_each_number_under_its_header(self) -> None:
        for times, kind in enumerate(Kind, start=1):
            worth = {Kind.REVENUE: money("156.25"), Kind.REFUNDED: money("5.00")}.get(kind)
            counted(kind, worth=worth, times=times)
        counted(Kind.REVENUE, worth=money("80.00", "CHF"))
        [today, *_] = shown()
        assert dict(zip(numbers_section(today=DAY).headers, today, strict=True)) == {
            "day": "2026-05-02",
            "booked": "1",
            "confirmed": "2",
            "cancelled": "3",
            "no-show": "4",
            "printed": "5",
            "redeemed": "6",
            "refunded": "7",
            "revenue": "1,250.00 EUR; 80.00 CHF",
            "refunded amount": "35.00 EUR",
        }

    def test_shows_seven_days_newest_first(self) -> None:
        counted(Kind.BOOKED, on=DAY - timedelta(days=6), times=3)
        counted(Kind.BOOKED, on=DAY - timedelta(days=7))
        rows = shown()
        assert [row[0] for row in rows] == [f"2026-05-0{day}" for day in (2, 1)] + [
            f"2026-04-{30 - n}" for n in range(5)
        ]
        assert [row[1] for row in rows] == ["0"] * 6 + ["3"]

    def test_shows_a_dash_where_nothing_was_paid(self) -> None:
        counted(Kind.REFUNDED)
        assert shown()[0][-2:] == ["-", "-"]

    def test_says_when_days_begin(self, settings: Settings) -> None:
        settings.TICKETS_TIME_ZONE = "Europe/Madrid"
        assert "midnight in Europe/Madrid" in numbers_section(today=DAY).note

    def test_asks_once(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for kind in Kind:
            counted(kind, worth=money("1.00"))
        with django_assert_num_queries(1):
            numbers_section(today=DAY)

    def test_fits_the_first_page_of_the_admin(self) -> None:
        counted(Kind.BOOKED, times=12)
        page = render_to_string("admin_site/sections.html", {"sections": [numbers_section(today=DAY)]})
        assert "The last 7 days" in page
        assert "12" in strip_tags(page).split()


class TestDailyTotalAdmin:
    def test_lists_the_newest_day_first(self, admin_client: Client) -> None:
        for ago in (1, 0, 2):
            counted(Kind.BOOKED, on=DAY - timedelta(days=ago))
        listed = admin_client.get(LIST).context["cl"].result_list
        assert [row.day for row in listed] == [DAY - timedelta(days=ago) for ago in range(3)]

    def test_reads_the_list_from_the_index(self, admin_client: Client) -> None:
        rows = admin_client.get(LIST).context["cl"].queryset
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = rows[:25].explain()
        assert "Index Scan Backward using analytics_dailytotal_once" in plan
        assert "Sort" not in plan

    def test_filters_by_kind(self, admin_client: Client) -> None:
        counted(Kind.BOOKED)
        counted(Kind.NO_SHOW)
        answer = admin_client.get(f"{LIST}?kind__exact=no_show")
        assert [row.kind for row in answer.context["cl"].result_list] == ["no_show"]

    def test_shows_one(self, admin_client: Client) -> None:
        counted(Kind.REVENUE, worth=money("12.50"))
        page = admin_client.get(f"{LIST}{DailyTotal.objects.get().pk}/change/")
        assert "12.50" in page.content.decode()

    def test_takes_no_change(self, admin_client: Client) -> None:
        counted(Kind.BOOKED)
        key = DailyTotal.objects.get().pk
        for address in (f"{LIST}add/", f"{LIST}{key}/change/", f"{LIST}{key}/delete/"):
            assert admin_client.post(address, {"count": "9", "post": "yes"}).status_code == 403
        assert DailyTotal.objects.get().count == 1
