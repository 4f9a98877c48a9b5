"""The page between wishing something for one row and doing it: what it will do, a form, and the button."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

REASON_HELP = "It stays on record."


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=500, help_text=REASON_HELP, widget=UnfoldAdminTextInputWidget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked before it is done.

    :param tells: what it will do, a sentence each
    :param label: what stands on the button that does it
    """

    title: str
    tells: Sequence[str]
    form: forms.Form
    label: str
    variant: str = "danger"


def ask_first(model_admin: Any, request: HttpRequest, row: Model, question: Question) -> TemplateResponse:
    """Return the page; its form posts to the address that it was shown at."""
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "opts": opts,
        "original": row,
        "question": question,
        "back": reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin_site/question.html", context)
