"""The acts of the control page, as one table: what each asks, what it will do, who may, and the one service that it calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms

from risk.domain.halt import UNSET, HaltScope, StateHeld, TradingState, relaxes
from risk.domain.lock import LIFTING, LockKind
from risk.models import Lock
from risk.services import blocks, flattening, halts
from trading import conf
from trading.domain.errors import Invalid
from trading.domain.mode import Mode
from trading.domain.people import Act, Person
from trading.services import mode
from vanta_site.control import forecast
from vanta_site.control.forms import FlattenForm, LockForm, Nothing, StateForm, SwitchForm
from vanta_site.control.scopes import named
from vanta_site.standing import Standing

# What a form said, typed.
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A person's word for one act."""

    person: Person
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a person must be allowed, and whose account it touches; None: the desk."""

    act: Act
    account: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAct:
    """One act. `do` answers what is to be said when it is done; `word` is typed out before."""

    title: Callable[[Said], str]
    needs: Callable[[Said, datetime], Needed]
    foresee: Callable[[Said, Standing, datetime], forecast.Lines]
    do: Callable[[Said, Word], str]
    form: type[forms.Form] = Nothing
    word: str = ""
    is_dangerous: bool = False


def _always(act: Act) -> Callable[[Said, datetime], Needed]:
    return lambda _, __: Needed(act=act)


# --- the emergency stop


def _lift(_: Said, by: Word) -> str:
    mode.lift_stop(switch=conf.mode_switch(), actor=by.person.name, reason=by.reason, at=by.at)
    return "The emergency stop is lifted."


# --- the mode


def _switch_to(wanted: Mode, done: str) -> Callable[[Said, Word], str]:
    def switch(_: Said, by: Word) -> str:
        mode.switch_to(mode=wanted, switch=conf.mode_switch(), actor=by.person.name, reason=by.reason, at=by.at)
        return done

    return switch


def _confirm(_: Said, by: Word) -> str:
    mode.confirm_live(by=by.person, switch=conf.mode_switch(), reason=by.reason, at=by.at)
    return "LIVE is confirmed; see below what holds."


# --- the desk's switches

# Of each switch: its name for people, and the acts that turn it on and off.
SWITCHES = {
    "signals_enabled": ("entries are taken", "Take entries again", "Take no entries"),
    "maintenance": ("maintenance", "Begin maintenance", "End maintenance"),
    "automation_paused": ("automation pauses", "Pause automation", "Let automation go on"),
}


def _switch_title(said: Said) -> str:
    _, on, off = SWITCHES[str(said["name"])]
    return on if said["is_on"] else off


def _turn(said: Said, by: Word) -> str:
    mode.set_desk(name=said["name"], is_on=said["is_on"], actor=by.person.name, reason=by.reason, at=by.at)
    return f"{_switch_title(said)}: done."


# --- trading states


def _until(said: Said, at: datetime) -> datetime | None:
    return at + timedelta(seconds=int(said["hours"] * 3600)) if said["hours"] else None


def _standing_state(said: Said, at: datetime) -> tuple[StateHeld, list[StateHeld]]:
    """The scope's own state, and those of others."""
    every = halts.held(at=at)
    own = [each for each in every if (each.scope, each.key) == (said["scope"], said["key"])]
    return (own[0] if own else UNSET), [each for each in every if each not in own]


def _state_needs(said: Said, at: datetime) -> Needed:
    account = int(said["key"]) if said["scope"] is HaltScope.USER else None
    before, _ = _standing_state(said, at)
    if relaxes(before, state=said["state"], until=_until(said, at)):
        return Needed(act=Act.RESUME, account=account)
    return Needed(act=Act.HALT if account is None else Act.PAUSE, account=account)


_STATE_WORDS = {TradingState.ACTIVE: "Resume", TradingState.REDUCING: "Pause", TradingState.HALTED: "Halt"}


def _state_title(said: Said) -> str:
    return f"{_STATE_WORDS[said['state']]} {named(said['scope'], said['key'])}"


def _foresee_state(said: Said, _: Standing, at: datetime) -> forecast.Lines:
    others = _standing_state(said, at)[1]
    return forecast.of_state(said["scope"], said["key"], state=said["state"], others=others)


def _set_state(said: Said, by: Word) -> str:
    halts.set_state(
        scope=said["scope"],
        key=said["key"],
        state=said["state"],
        person=by.person,
        reason=by.reason,
        at=by.at,
        until=_until(said, by.at),
    )
    return f"{_state_title(said)}: done."


# --- flatten


def _flatten_needs(said: Said, _: datetime) -> Needed:
    return Needed(act=Act.FLATTEN, account=int(said["key"]) if said["scope"] is HaltScope.USER else None)


def _flatten_title(said: Said) -> str:
    return f"Flatten {named(said['scope'], said['key'])}, {said['book']}"


def _foresee_flatten(said: Said, now: Standing, _: datetime) -> forecast.Lines:
    return forecast.of_flatten(said["scope"], said["key"], book=said["book"], standing=now)


def _flatten(said: Said, by: Word) -> str:
    about = {"scope": said["scope"], "key": said["key"], "book": said["book"]}
    job = flattening.start(**about, person=by.person, reason=by.reason, at=by.at)
    return f"Flatten {job.pk} runs; see below how far it is."


# --- locks


def _lock(said: Said) -> Lock:
    lock = Lock.objects.select_related("trader", "market").filter(pk=said["lock"]).first()
    if lock is None:
        raise Invalid("there is no such lock", lock=said["lock"])
    return lock


def _unlock_needs(said: Said, _: datetime) -> Needed:
    lock = _lock(said)
    return Needed(act=LIFTING[LockKind(lock.kind)], account=lock.trader.account)


def _foresee_unlock(said: Said, _: Standing, at: datetime) -> forecast.Lines:
    lock = _lock(said)
    besides = Lock.objects.holding(at=at).of(trader_id=lock.trader_id, book=lock.book).exclude(pk=lock.pk).count()
    return forecast.of_unlock(lock, besides=besides)


def _unlock(said: Said, by: Word) -> str:
    lock = blocks.lift(lock_id=said["lock"], person=by.person, reason=by.reason, at=by.at)
    return f"Lock {lock.pk} is lifted."


ACTS: dict[str, ControlAct] = {
    "lift": ControlAct(
        title=lambda _: "Lift the emergency stop",
        needs=_always(Act.LIFT_STOP),
        foresee=lambda _, now, __: forecast.of_lift(now),
        do=_lift,
        is_dangerous=True,
    ),
    "dry": ControlAct(
        title=lambda _: "Switch to DRY",
        needs=_always(Act.GO_DRY),
        foresee=lambda _, now, __: forecast.of_dry(now),
        do=_switch_to(Mode.DRY, "The mode is DRY."),
    ),
    "live": ControlAct(
        title=lambda _: "Switch to LIVE",
        needs=_always(Act.GO_LIVE),
        foresee=lambda _, now, __: forecast.of_live(now),
        do=_switch_to(Mode.LIVE, "LIVE is asked for; see below what holds."),
        word="LIVE",
        is_dangerous=True,
    ),
    "confirm": ControlAct(
        title=lambda _: "Confirm LIVE",
        needs=_always(Act.GO_LIVE),
        foresee=lambda _, now, __: forecast.of_confirmation(now),
        do=_confirm,
        word="LIVE",
        is_dangerous=True,
    ),
    "switch": ControlAct(
        title=_switch_title,
        needs=_always(Act.MAINTAIN),
        foresee=lambda said, *_: forecast.of_switch(said["name"], is_on=said["is_on"]),
        do=_turn,
        form=SwitchForm,
    ),
    "state": ControlAct(title=_state_title, needs=_state_needs, foresee=_foresee_state, do=_set_state, form=StateForm),
    "flatten": ControlAct(
        title=_flatten_title,
        needs=_flatten_needs,
        foresee=_foresee_flatten,
        do=_flatten,
        form=FlattenForm,
        word="FLATTEN",
        is_dangerous=True,
    ),
    "unlock": ControlAct(
        title=lambda said: f"Lift lock {said['lock']}",
        needs=_unlock_needs,
        foresee=_foresee_unlock,
        do=_unlock,
        form=LockForm,
        is_dangerous=True,
    ),
}
