"""The scan page: door staff hold tickets before a scanner that types, and read ADMIT or why not.

It works as a plain form; static/bookings/scan.js sends the same form in the background and swaps the answer, so that
the next code can be scanned while the last one is on its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import services
from bookings.admin.scan_answers import (
    Answer,
    answer_of,
    local,
    not_undone_answer,
    reason_of,
    undone_answer,
    unread_answer,
)
from bookings.admin.scan_cells import UNDO, is_undoable
from bookings.models import Scan, ScanOutcome
from bookings.signals import ticket_redemption_requested
from tickets_project.admin_site.requests import actor_of
from tickets_project.audit.admin_acts import staff_act
from tickets_project.event_result import EventResult, ask
from tickets_project.refusals import DomainError

REDEEM = "bookings.redeem_ticket"
LATEST = 10
LOCATION = "scan_location"
# All columns of what a scan belongs to cost the page more than the scan does.
SHOWN = (
    "scanned_by",
    "code",
    "nonce",
    "scanned_at",
    "outcome",
    "answer",
    "undone_at",
    "ticket__redemption_code",
    "ticket__vendor_booking_id",
    "ticket__ticket_type__name",
    "ticket__booking__start_time",
    "ticket__booking__show__title",
    "ticket__booking__resource__name",
)


class ScanForm(forms.Form):
    """What the scanner has typed, where it stands, and what makes it safe to send the same scan again."""

    code = forms.CharField(max_length=100)
    location = forms.CharField(max_length=200, required=False)
    nonce = forms.CharField(max_length=100, required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One of the user's latest scans, in a line."""

    at: str
    code: str
    word: str
    why: str


@never_cache
def scan_page(request: HttpRequest) -> HttpResponse:
    """Show the page; take a scan that is posted, and answer it."""
    _require(request, REDEEM)
    if request.method != "POST":
        return _page(request, None, _latest(request))
    return _scan(request)


@never_cache
def undo_at_the_door(request: HttpRequest, scan_id: UUID) -> HttpResponse:
    """Take back a scan of the user's own."""
    _require(request, REDEEM)
    _require(request, UNDO)
    scan = get_object_or_404(_scans_of(request), id=scan_id)
    if request.method != "POST":
        return redirect("scan")
    act = staff_act(request, UNDO, reason="undone at the door")
    try:
        services.undo_scan(scan_id=scan.pk, act=act)
    except DomainError as refusal:
        return _page(request, not_undone_answer(refusal.detail), _latest(request))
    return _page(request, undone_answer(scan), _latest(request))


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _scan(request: HttpRequest) -> HttpResponse:
    form = ScanForm(request.POST)
    if not form.is_valid():
        return _page(request, unread_answer("Nothing was read, or too much."), _latest(request))
    said = {**form.cleaned_data, "nonce": form.cleaned_data["nonce"] or uuid4().hex}
    if request.session.get(LOCATION, "") != said["location"]:
        request.session[LOCATION] = said["location"]
    result = _redeem(request, **said)
    latest = _latest(request)
    if result.error and result.error.code not in ScanOutcome.values:
        return _page(request, unread_answer(result.error.detail), latest)
    # A refusal too is told by the scan that is stored; a repeated one may be long ago.
    scan = next((scan for scan in latest if scan.nonce == said["nonce"]), None)
    scan = scan or _scans_of(request).get(nonce=said["nonce"])
    scans = Scan.objects.filter(ticket=scan.ticket).count() if scan.ticket else 1
    return _page(request, answer_of(scan, scans=scans), latest)


@transaction.atomic
def _redeem(request: HttpRequest, *, code: str, location: str, nonce: str) -> EventResult:
    act = staff_act(request, REDEEM)
    return ask(ticket_redemption_requested, redemption_code=code, act=act, location=location, nonce=nonce)


def _scans_of(request: HttpRequest) -> QuerySet[Scan]:
    scans = Scan.objects.filter(scanned_by=actor_of(request)).only(*SHOWN)
    return scans.select_related("ticket__ticket_type", "ticket__booking__show", "ticket__booking__resource")


def _latest(request: HttpRequest) -> Sequence[Scan]:
    return list(_scans_of(request).order_by("-scanned_at", "-id")[:LATEST])


def _page(request: HttpRequest, answer: Answer | None, latest: Sequence[Scan]) -> HttpResponse:
    context: dict[str, Any] = {"answer": answer, "latest": [_line(scan) for scan in latest]}
    context["undoable"] = _undoable(request, latest)
    if request.headers.get("X-Requested-With") == "scan.js":
        return TemplateResponse(request, "bookings/scanning/result.html", context)
    context |= {"nonce": uuid4().hex, "location": request.session.get(LOCATION, "")}
    request.current_app = admin.site.name
    context |= {**admin.site.each_context(request), "title": "Scan at the door"}
    return TemplateResponse(request, "bookings/scanning/page.html", context)


def _undoable(request: HttpRequest, latest: Sequence[Scan]) -> Scan | None:
    """Return the scan that last let somebody in, when the user may still take it back."""
    scan = next((scan for scan in latest if scan.outcome == ScanOutcome.REDEEMED), None)
    possible = scan and request.user.has_perm(UNDO) and is_undoable(scan, at=timezone.now())
    return scan if possible else None


def _line(scan: Scan) -> Line:
    admitted = scan.outcome == ScanOutcome.REDEEMED
    why = scan.ticket.title if admitted and scan.ticket else reason_of(scan)
    word = "undone" if scan.undone_at else "admit" if admitted else "stop"
    return Line(at=f"{local(scan.scanned_at):%H:%M:%S}", code=scan.code, word=word, why=why)
