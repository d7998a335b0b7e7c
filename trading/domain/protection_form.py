"""The closed form of a protection: a parsed body in, a `Protection` out, or the first thing wrong with it."""

from collections.abc import Mapping

from trading.domain import form
from trading.domain.form import FormError
from trading.domain.protection import EVERYTHING, AtMove, AtPrice, AtReward, Level, Protection, Target, Trail
from trading.domain.units import Multiple, Percent, Price

Body = Mapping[str, object]

FIELDS = ("stop", "targets", "breakeven_after", "trail", "time_stop_minutes")
MAX_TARGETS = 5


def read(body: Body) -> Protection:
    """The protection that a body asks for, as `as_json` writes it; null says nothing.

    Raises:
        FormError: for the first field that is wrong.
    """
    said = {name: value for name, value in body.items() if value is not None}
    if said.keys() - set(FIELDS):
        raise FormError("a field that this form doesn't have", field="", code="FIELD_UNKNOWN")
    found = Protection(
        stop=form.optional(said, "stop", _stop),
        targets=form.optional(said, "targets", _targets) or (),
        breakeven_after=form.optional(said, "breakeven_after", form.integer),
        trail=form.optional(said, "trail", _trail),
        time_stop=form.optional(said, "time_stop_minutes", form.minutes),
    )
    check(found, stop="stop", targets="targets", breakeven="breakeven_after")
    return found


def check(guard: Protection, *, stop: str, targets: str, breakeven: str) -> None:
    """Pass if what a guard says goes together; the fields are named as its sender calls them.

    Raises:
        FormError: if it doesn't.
    """
    if guard.stop is None and any(isinstance(each.level, AtReward) for each in guard.targets):
        raise FormError("a target measured by the stop needs one", field=stop, code="FIELD_MISSING")
    if sum(each.close_share.raw for each in guard.targets) > EVERYTHING.raw:
        raise FormError("the targets close more than 100", field=targets)
    if guard.breakeven_after is not None and guard.breakeven_after > len(guard.targets):
        raise FormError("must be the number of a target", field=breakeven)


def share(body: Body, name: str) -> Percent:
    """A share of at most everything."""
    found = form.positive(Percent)(body, name)
    if found > EVERYTHING:
        raise FormError("must be at most 100", field=name)
    return found


def _stop(body: Body, name: str) -> AtPrice | AtMove:
    level = _object(body, name, ())
    if _kind(level, ("price", "move_pct"), field=name) == "price":
        return AtPrice(price=form.positive(Price)(level, "price"))
    return AtMove(share=share(level, "move_pct"))


def _targets(body: Body, name: str) -> tuple[Target, ...]:
    listed = form.present(body, name)
    if not isinstance(listed, list) or len(listed) > MAX_TARGETS:
        raise FormError(f"must be a list of at most {MAX_TARGETS} targets", field=name)
    return tuple(_target({name: each}, name) for each in listed)


def _target(body: Body, name: str) -> Target:
    said = _object(body, name, ())
    level = {key: value for key, value in said.items() if key != "close_pct"}
    return Target(level=_level(level, name), close_share=form.optional(said, "close_pct", share) or EVERYTHING)


def _level(level: Body, name: str) -> Level:
    kind = _kind(level, ("price", "move_pct", "reward"), field=name)
    match kind:
        case "reward":
            return AtReward(multiple=form.positive(Multiple)(level, kind))
        case "move_pct":
            return AtMove(share=form.positive(Percent)(level, kind))
        case _:
            return AtPrice(price=form.positive(Price)(level, kind))


def _trail(body: Body, name: str) -> Trail:
    trail = _object(body, name, ("activate_pct", "distance_pct"))
    return Trail(activate=share(trail, "activate_pct"), distance=share(trail, "distance_pct"))


def _kind(level: Body, kinds: tuple[str, ...], *, field: str) -> str:
    if len(level) != 1 or not level.keys() <= set(kinds):
        raise FormError(f"must say one of {', '.join(kinds)}", field=field)
    return next(iter(level))


def _object(body: Body, name: str, keys: tuple[str, ...]) -> dict[str, object]:
    found = form.present(body, name)
    if not isinstance(found, dict) or (keys and found.keys() != set(keys)):
        raise FormError(f"must be an object{' with ' if keys else ''}{' and '.join(keys)}", field=name)
    return found
