"""The history of a thing, as the admin's pages show it."""

from collections.abc import Iterable, Sequence

from tickets_project.admin_site.display import Section, moment
from tickets_project.audit.models import AuditEntry

MOST_ENTRIES = 100


def history_of(subject_ids: Iterable[str]) -> Section:
    """Return what was done to these things as a table, newest first."""
    entries = AuditEntry.objects.filter(subject_id__in=list(subject_ids)).order_by("-id")[: MOST_ENTRIES + 1]
    rows = [_row(entry) for entry in entries]
    note = f"The latest {MOST_ENTRIES}; the audit trail has the others." if len(rows) > MOST_ENTRIES else ""
    headers = ["when", "what", "from → to", "by", "why", "details"]
    return Section(title="History", headers=headers, rows=rows[:MOST_ENTRIES], note=note)


def _row(entry: AuditEntry) -> Sequence[object]:
    change = f"{entry.old} → {entry.new}".strip() if entry.old or entry.new else "-"
    details = ", ".join(f"{name}: {value}" for name, value in entry.details.items() if value not in (None, ""))
    return [moment(entry.at), entry.action.replace("_", " "), change, entry.by, entry.reason or "-", details or "-"]
