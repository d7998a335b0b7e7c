"""A ledger's page on which people act: each form is one act, each act one call of one service with the person and the reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from execution.services.warrants import Warrant
from trading import clock
from trading.admin.base import ReadOnlyAdmin
from trading.domain import people as roles
from trading.domain.errors import VantaError
from trading.domain.people import Person
from trading.services import people

# What an act does: the row's key, what the form said, and on whose word.
Do = Callable[[int, dict[str, Any], Warrant], None]


class ReasonForm(forms.Form):
    """Why, for the audit log."""

    reason = forms.CharField(max_length=500, widget=forms.TextInput(attrs={"size": 50}))


class TypedForm(ReasonForm):
    """What can't be taken back is typed out."""

    word = ""
    confirmation = forms.CharField(widget=forms.TextInput(attrs={"size": 12, "autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].label = f"Type {self.word}"

    def clean_confirmation(self) -> str:
        """Exactly the word."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.word:
            raise forms.ValidationError(f"Type {self.word}.")
        return typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One form of a page: what it does, what it says will happen, and what a person must be allowed to send it."""

    title: str
    says: str
    do: Do
    form: type[forms.Form] = ReasonForm
    needs: roles.Act = roles.Act.OPERATE
    is_dangerous: bool = False


@admin.display(description="operate")
def operate(row: Any) -> SafeString:
    """A column that leads to the page of a row's acts."""
    place = f"admin:{row._meta.app_label}_{row._meta.model_name}_operate"
    return format_html('<a href="{}">operate</a>', reverse(place, args=[row.pk]))


class OperatedAdmin(ReadOnlyAdmin):
    """A ledger with one more page for each row: how it stands, and the acts."""

    acts: Mapping[str, Act] = {}

    def standing(self, row: Any) -> Sequence[Sequence[object]]:
        """The table on top of the page, its heads first. It may ask the outside."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        """The ledger's own pages and ours."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_operate"
        ours = path("<int:pk>/operate/", self.admin_site.admin_view(self.operate_view), name=name)
        return [ours, *super().get_urls()]

    @method_decorator(require_http_methods(["GET", "POST"]))
    def operate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how a row stands, or perform one act and show it again."""
        row = get_object_or_404(self.model, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            return _perform(self, request, pk)
        return TemplateResponse(request, "vanta/operate.html", _context(self, request, row))


def _context(page: OperatedAdmin, request: HttpRequest, row: Any) -> dict[str, Any]:
    trouble, table = _standing(page, row)
    person = people.of_user(request.user)
    allowed = {name: act for name, act in page.acts.items() if roles.may(person, act.needs)}
    acts = [{"name": name, "act": act, "form": act.form(auto_id=f"{name}_%s")} for name, act in allowed.items()]
    own = {
        "title": str(row),
        "opts": page.opts,
        "row": row,
        "heads": table[0],
        "lines": table[1:],
        "trouble": trouble,
        "acts": acts,
    }
    return page.admin_site.each_context(request) | own


def _standing(page: OperatedAdmin, row: Any) -> tuple[str, Sequence[Sequence[object]]]:
    try:
        return "", page.standing(row)
    except VantaError as error:
        # Without a node there is nothing to compare with; the acts are there all the same.
        return error.message, ((),)


def _perform(page: OperatedAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    act = page.acts.get(request.POST.get("act", ""))
    if act is None:
        raise PermissionDenied
    person = people.of_user(request.user)
    people.demand(person, act.needs, subject=f"{page.opts.model_name}:{pk}", at=clock.now())
    form = act.form(request.POST)
    if form.is_valid():
        _do(act, form, request, person, pk)
    else:
        messages.error(request, "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    return HttpResponseRedirect(request.path)


def _do(act: Act, form: forms.Form, request: HttpRequest, person: Person, pk: int) -> None:
    warrant = Warrant(actor=person.name, reason=form.cleaned_data["reason"], at=clock.now())
    try:
        act.do(pk, form.cleaned_data, warrant)
    except VantaError as error:
        messages.error(request, f"{error.message} ({error.code})")
    else:
        messages.success(request, f"{act.title}: done.")
