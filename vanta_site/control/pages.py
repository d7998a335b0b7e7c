"""The control page and the page of one act. Everything that it shows and does needs PostgreSQL; Redis may be away."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from risk.domain.halt import HaltScope
from risk.models import Flatten, Lock
from risk.services import flattening, halts
from trading import clock, conf
from trading.domain import people as roles
from trading.domain.errors import Unavailable, VantaError
from trading.domain.people import Act, Person
from trading.services import mode, people
from trading.services.mode import DeskSwitch
from vanta_site import standing
from vanta_site.control import forecast, positions
from vanta_site.control.acts import ACTS, SWITCHES, ControlAct, Said, Word
from vanta_site.control.forms import FlattenForm, ReasonForm, StateForm
from vanta_site.control.scopes import named
from vanta_site.standing import Standing

SHOWN_LOCKS = 100
SHOWN_JOBS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchLine:
    """One of the desk's switches as it stands, and where it would go."""

    name: DeskSwitch
    label: str
    is_on: bool
    title: str


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """How the desk stands, and every act on it."""
    person, at, now = people.of_user(request.user), clock.now(), standing.read()
    roles.check(person, Act.SEE)
    locks = Lock.objects.holding(at=at).select_related("trader", "market").order_by("-pk")[:SHOWN_LOCKS]
    own = {
        "title": "Control",
        "standing": now,
        "waits": forecast.of_waits(now),
        "stop_says": forecast.of_stop(),
        "switches": _switches(now),
        "states": [(named(each.scope, each.key), each) for each in halts.held(at=at)],
        "state_form": StateForm(),
        "jobs": Flatten.objects.order_by("-pk")[:SHOWN_JOBS],
        "flatten_form": FlattenForm(),
        "locks": [(lock, lock.as_active()) for lock in locks],
        "may": _rights(person),
    }
    return _shown(request, "vanta/control.html", now, own)


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """One click: nothing stands between a person and the stop, not even a reason."""
    person, at = people.of_user(request.user), clock.now()
    roles.check(person, Act.STOP)
    reason = request.POST.get("reason", "").strip()[:500] or "stopped from the console"
    mode.stop_everything(switch=conf.mode_switch(), actor=person.name, origin="admin", reason=reason, at=at)
    messages.success(request, "Everything is stopped.")
    return HttpResponseRedirect(reverse("admin:control"))


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, name: str) -> HttpResponse:
    """What an act is about, then what it will do and why, then the act itself."""
    chosen, person = (ACTS | positions.ACTS).get(name), people.of_user(request.user)
    if chosen is None:
        raise Http404
    roles.check(person, Act.SEE)
    about = chosen.form(request.POST if request.method == "POST" else request.GET)
    if not about.is_valid():
        return _asked(request, about)
    return _perform(request, chosen, about, person) if request.method == "POST" else _announce(request, chosen, about, person)


@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a job that closes everything is, counted now; the page looks again by itself until it is over."""
    roles.check(people.of_user(request.user), Act.SEE)
    found = get_object_or_404(Flatten, pk=pk)
    # Not counted in what it closes: an open that is still under way may become a position yet.
    progress = flattening.progress(found)
    own = {
        "title": f"Flatten {found.pk}: {named(HaltScope(found.scope), found.key)}, {found.book}",
        "job": found,
        "progress": progress,
        "whole": progress.closed + progress.waiting + progress.failed,
    }
    return _shown(request, "vanta/control_job.html", standing.read(), own)


def _announce(request: HttpRequest, chosen: ControlAct, about: forms.Form, person: Person) -> HttpResponse:
    at = clock.now()
    needed = chosen.needs(about.cleaned_data, at)
    roles.check(person, needed.act, account=needed.account)
    return _before(request, chosen, about, ReasonForm(word=chosen.word))


def _perform(request: HttpRequest, chosen: ControlAct, about: forms.Form, person: Person) -> HttpResponse:
    at, said = clock.now(), about.cleaned_data
    needed = chosen.needs(said, at)
    people.demand(person, needed.act, subject=f"control:{chosen.title(said)}"[:200], at=at, account=needed.account)
    why = ReasonForm(request.POST, word=chosen.word)
    if not why.is_valid():
        return _before(request, chosen, about, why)
    _do(request, chosen, said, Word(person=person, reason=why.cleaned_data["reason"], at=at))
    return HttpResponseRedirect(reverse("admin:control"))


def _do(request: HttpRequest, chosen: ControlAct, said: Said, word: Word) -> None:
    try:
        messages.success(request, chosen.do(said, word))
    except Unavailable as error:
        messages.warning(request, f"The wish is kept, but {error.message}: DRY holds until it can be.")
    except VantaError as error:
        messages.error(request, f"{error.message} ({error.code})")


def _before(request: HttpRequest, chosen: ControlAct, about: forms.Form, why: ReasonForm) -> HttpResponse:
    """The page that says what will happen and asks why."""
    now, said = standing.read(), about.cleaned_data
    own = {
        "title": chosen.title(said),
        "says": chosen.foresee(said, now, clock.now()),
        "about": [(name, about.data.get(name, "")) for name in about.fields],
        "why": why,
        "is_dangerous": chosen.is_dangerous,
    }
    return _shown(request, "vanta/control_act.html", now, own)


def _asked(request: HttpRequest, about: forms.Form) -> HttpResponse:
    """The page that asks what an act is about."""
    return _shown(request, "vanta/control_about.html", standing.read(), {"title": "Control", "form": about})


def _shown(request: HttpRequest, template: str, now: Standing, own: dict[str, Any]) -> HttpResponse:
    # The banner has the same look at the switch as the page: a Redis that is away costs one wait, not two.
    every = admin.site.each_context(request) | {"read_standing": now} | own
    return TemplateResponse(request, template, every)


def _switches(now: Standing) -> list[SwitchLine]:
    lines = []
    for name in DeskSwitch:
        is_on = bool(getattr(now.state, name))
        label, turn_on, turn_off = SWITCHES[name]
        lines.append(SwitchLine(name=name, label=label, is_on=is_on, title=turn_off if is_on else turn_on))
    return lines


def _rights(person: Person) -> dict[str, bool]:
    """What the page offers: an act of the desk, or of his own account where he has one."""
    return {str(each): roles.may(person, each) or roles.may(person, each, account=person.tg_user_id) for each in Act}
