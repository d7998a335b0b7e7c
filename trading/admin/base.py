"""What every page of the console is made of: ledgers that nobody edits, and links along the flow."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from trading.admin.paginator import EstimatingPaginator
from trading.models.fields import QuantityField

# Django's admin classes take no parameters at run time.
if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Admin = admin.ModelAdmin
    Inline = admin.TabularInline

Column = str | Callable[[Any], Any]
NOTHING = "–"


class ReadOnly:
    """Nobody adds, changes or deletes: not even a superuser edits history."""

    def has_add_permission(self, *_: object) -> bool:
        """No."""
        return False

    def has_change_permission(self, *_: object) -> bool:
        """No."""
        return False

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False


class Swift(Admin):
    """A list that stays fast at a million rows: newest first by key, no exact count, nothing sorted or summed."""

    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = EstimatingPaginator
    actions = None
    # Columns that are shown in a list and on a page, beside the model's own.
    more: Sequence[Column] = ()
    # Columns of the model that no page shows.
    hidden: Sequence[str] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The list's columns, quantities as a person writes them."""
        return [readable(self.model, column) for column in super().get_list_display(request)]


class ReadOnlyAdmin(ReadOnly, Swift):
    """The pages of a ledger: every column of the row, and links to what it caused."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """A page shows the same neighbors as the list: fetch them with the row."""
        rows, near = super().get_queryset(request), self.list_select_related
        # Without names Django would fetch every neighbor.
        return rows.select_related(*near) if isinstance(near, tuple) and near else rows

    def get_fields(self, _request: HttpRequest, _obj: models.Model | None = None) -> list[Any]:
        """Every column that isn't hidden, then what is computed."""
        own = [field.name for field in self.model._meta.concrete_fields if field.name not in self.hidden]
        return [*(readable(self.model, name) for name in own), *self.more]


class ReadOnlyInline(ReadOnly, Inline):
    """Rows of another ledger, shown on the page of the row that they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True
    columns: Sequence[Column] = ()

    @cached_property
    def shown(self) -> list[Column]:
        """The columns, made once: Django asks twice and compares by identity."""
        return [readable(self.model, column) for column in self.columns]

    def get_fields(self, _request: HttpRequest, _obj: models.Model | None = None) -> list[Any]:
        """The columns to show."""
        return self.shown

    def get_readonly_fields(self, _request: HttpRequest, _obj: models.Model | None = None) -> list[Any]:
        """All of them."""
        return self.shown


def readable(model: type[models.Model], column: Column) -> Column:
    """A column as a list shows it: Django would print a quantity with all its zeros."""
    if not isinstance(column, str) or column not in {field.name for field in model._meta.concrete_fields}:
        return column
    field = model._meta.get_field(column)
    if not isinstance(field, QuantityField):
        return column

    @admin.display(description=field.verbose_name, empty_value=NOTHING)
    def plain(row: models.Model) -> str | None:
        value = getattr(row, column)
        return None if value is None else str(value)

    plain.__name__ = f"{column}_plainly"
    return plain


def link(path: str, *, name: str = "", text: str = "") -> Callable[[Any], Any]:
    """A column that leads to the row which a path of attributes names: `leg.decision.signal`."""

    @admin.display(description=name or path.rpartition(".")[2].replace("_", " "), empty_value=NOTHING)
    def leading(row: models.Model) -> SafeString | None:
        target: Any = row
        for step in path.split("."):
            target = getattr(target, step, None)
        return None if target is None else anchor(target, text=text)

    leading.__name__ = f"to_{path.replace('.', '_')}"
    return leading


def onward(*ways: tuple[str, str, str, str]) -> Callable[[Any], Any]:
    """A column that leads to the lists of what a row caused.

    Each way is (text, `app_model`, the list's filter, the attribute of this row that it takes): names only,
    since no app imports the one that comes after it.
    """

    @admin.display(description="onward")
    def leading(row: models.Model) -> SafeString:
        return format_html_join(
            " · ",
            '<a href="{}?{}">{}</a>',
            (
                (reverse(f"admin:{model}_changelist"), urlencode({key: getattr(row, attribute)}), text)
                for text, model, key, attribute in ways
            ),
        )

    return leading


def anchor(target: models.Model, *, text: str = "") -> SafeString:
    """A link to a row's own page."""
    place = f"admin:{target._meta.app_label}_{target._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(place, args=[target.pk]), text or str(target))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """A plain table, everything in it escaped."""
    cells = "<td>{}</td>" * len(heads)
    body = format_html_join("", f"<tr>{cells}</tr>", rows)
    head = format_html_join("", "<th>{}</th>", ((text,) for text in heads))
    return format_html('<table class="vanta-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)


def facts(said: dict[str, Any]) -> str:
    """An event's facts on one line."""
    return ", ".join(f"{name} {value}" for name, value in said.items() if value not in (None, ""))


def subject_link(subject: str) -> SafeString | str:
    """A link to the row that a journal's `signal:12` names, if the console has a page for it."""
    name, _, pk = subject.partition(":")
    for model in admin.site._registry:
        if model._meta.model_name == name:
            try:
                url = reverse(f"admin:{model._meta.app_label}_{name}_change", args=[pk])
            except NoReverseMatch:
                return subject
            return format_html('<a href="{}">{}</a>', url, subject)
    return subject
