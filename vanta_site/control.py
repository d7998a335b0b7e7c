"""The control page: the mode with its reasons, the emergency stop, and the desk's switches.

Each form is one act, each act one call of one service with the person and the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from trading import clock, conf
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode
from trading.services import mode
from trading.services.mode import DeskSwitch
from vanta_site import standing

CONFIRMATION = "LIVE"


class StopForm(forms.Form):
    """One click: nothing may stand between a person and the stop."""

    reason = forms.CharField(required=False, max_length=500, empty_value="stopped from the console")


class ReasonForm(forms.Form):
    """Why, for the audit log."""

    reason = forms.CharField(max_length=500)


class LiveForm(ReasonForm):
    """Going LIVE is typed out."""

    confirmation = forms.CharField(help_text=f"Type {CONFIRMATION}")

    def clean_confirmation(self) -> str:
        """Exactly the word."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != CONFIRMATION:
            raise forms.ValidationError(f"Type {CONFIRMATION} to go LIVE.")
        return typed


class DeskForm(ReasonForm):
    """One of the desk's switches, and where to."""

    name = forms.ChoiceField(choices=[(str(name), str(name)) for name in DeskSwitch])
    is_on = forms.ChoiceField(choices=[("true", "on"), ("false", "off")])


Person = User | AnonymousUser
Do = Callable[[dict[str, Any], str, datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One form of the page: who may send it, what it does, what to say when it is done."""

    form: type[forms.Form]
    is_allowed: Callable[[Person], bool]
    do: Do
    done: str


def _stop(said: dict[str, Any], actor: str, at: datetime) -> None:
    mode.stop_everything(switch=conf.mode_switch(), actor=actor, origin="admin", reason=said["reason"], at=at)


def _lift(said: dict[str, Any], actor: str, at: datetime) -> None:
    mode.lift_stop(switch=conf.mode_switch(), actor=actor, reason=said["reason"], at=at)


def _switch_to(wanted: Mode) -> Do:
    def switch(said: dict[str, Any], actor: str, at: datetime) -> None:
        mode.switch_to(mode=wanted, switch=conf.mode_switch(), actor=actor, reason=said["reason"], at=at)

    return switch


def _set_desk(said: dict[str, Any], actor: str, at: datetime) -> None:
    name, is_on = DeskSwitch(said["name"]), said["is_on"] == "true"
    mode.set_desk(name=name, is_on=is_on, actor=actor, reason=said["reason"], at=at)


def _anybody(_: Person) -> bool:
    return True


def _operator(person: Person) -> bool:
    return person.has_perm("trading.change_modestate")


def _superuser(person: Person) -> bool:
    return person.is_superuser


ACTS = {
    "stop": Act(form=StopForm, is_allowed=_anybody, do=_stop, done="Everything is stopped."),
    "lift": Act(form=ReasonForm, is_allowed=_superuser, do=_lift, done="The emergency stop is lifted."),
    "dry": Act(form=ReasonForm, is_allowed=_operator, do=_switch_to(Mode.DRY), done="The mode is DRY."),
    "live": Act(form=LiveForm, is_allowed=_superuser, do=_switch_to(Mode.LIVE), done="LIVE is asked for; see below what holds."),
    "desk": Act(form=DeskForm, is_allowed=_operator, do=_set_desk, done="The desk's switch is set."),
}


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show how the desk stands, or perform one act and show it again."""
    if request.method == "POST":
        return _perform(request)
    context = admin.site.each_context(request) | {"title": "Control", "standing": standing.read(), "acts": _allowed(request)}
    return TemplateResponse(request, "vanta/control.html", context)


def _allowed(request: HttpRequest) -> dict[str, bool]:
    return {name: act.is_allowed(request.user) for name, act in ACTS.items()}


def _perform(request: HttpRequest) -> HttpResponse:
    act = ACTS.get(request.POST.get("act", ""))
    if act is None or not act.is_allowed(request.user):
        raise PermissionDenied
    form = act.form(request.POST)
    if form.is_valid():
        _do(act, form, request)
    else:
        messages.error(request, "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    return HttpResponseRedirect(request.path)


def _do(act: Act, form: forms.Form, request: HttpRequest) -> None:
    try:
        act.do(form.cleaned_data, request.user.get_username(), clock.now())
    except Unavailable as error:
        messages.warning(request, f"The wish is kept, but {error.message}: DRY holds until it can be.")
    else:
        messages.success(request, act.done)
