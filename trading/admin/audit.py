"""Who changed what: the audit log, narrowed by who, what and about what, and whether it is the one that was written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from trading.admin.base import NOTHING, ReadOnlyAdmin
from trading.models import AuditCheck, AuditHead, AuditRow
from trading.services import audit_checks


def _narrowing(column: str) -> Any:
    """A column whose value leads to all rows that have it too."""

    @admin.display(description=column)
    def leading(row: AuditRow) -> SafeString:
        value = getattr(row, column)
        return format_html('<a href="?{}">{}</a>', urlencode({f"{column}__exact": value}), value)

    leading.__name__ = f"only_this_{column}"
    return leading


@admin.display(description="change", empty_value=NOTHING)
def change(row: AuditRow) -> Any:
    """What was and what is, for each thing that the row speaks about."""
    names = dict.fromkeys((*row.before, *row.after))
    lines = [(name, _plain(row.before.get(name)), _plain(row.after.get(name))) for name in names]
    differing = [line for line in lines if line[1] != line[2]]
    return format_html_join(mark_safe("<br>"), "{}: {} → <strong>{}</strong>", differing) if differing else None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    return NOTHING if value in (None, "") else str(value)


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin):
    """The audit log."""

    list_display = ("at", _narrowing("actor"), _narrowing("action"), _narrowing("subject"), "reason", change)
    search_fields = ("actor__exact", "action__exact", "subject__exact")
    search_help_text = "a whole actor, action or subject"
    hidden = ("before", "after")
    more = (change,)
    change_list_template = "vanta/audit.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, under what the last check found."""
        verdict = {"verdict": audit_checks.glance(), "narrowed": [*request.GET.items()]}
        return super().changelist_view(request, verdict | (extra_context or {}))


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    """The log's end, as each new row moves it."""

    list_display = ("number", "hash")


@admin.register(AuditCheck)
class AuditCheckAdmin(ReadOnlyAdmin):
    """What reading the log found."""

    list_display = ("at", "round_began_at", "number", "is_at_end", "findings")
