"""What an alert that opens carries: size, leverage, stop, targets, trail, time."""

from collections.abc import Mapping
from typing import Any

from trading.domain import form, protection_form
from trading.domain.form import FormError
from trading.domain.protection import EVERYTHING, AtMove, AtPrice, AtReward, Level, Protection, Target, Trail
from trading.domain.protection_form import MAX_TARGETS, share
from trading.domain.signal import Size, SizeKind
from trading.domain.units import Leverage, Multiple, Percent, Price, Usdc

Body = Mapping[str, object]


def read(body: Body) -> dict[str, Any]:
    """What an entry carries besides its side, by the names of `SignalRequest`."""
    guard = Protection(
        stop=form.optional(body, "sl", _stop),
        targets=form.optional(body, "tp", _targets) or (),
        breakeven_after=form.optional(body, "be_after_tp", form.integer),
        trail=form.optional(body, "trail", _trail),
        time_stop=form.optional(body, "time_stop_minutes", form.minutes),
    )
    protection_form.check(guard, stop="sl", targets="tp", breakeven="be_after_tp")
    return {"leverage": form.positive(Leverage)(body, "leverage"), **_size(body), **_guarded(guard)}


def _guarded(guard: Protection) -> dict[str, Any]:
    """A guard as plain prices where they say all of it."""
    stop, (target, *_) = guard.stop, (*(each.level for each in guard.targets), None)
    if not guard.is_simple or not all(isinstance(each, AtPrice | None) for each in (stop, target)):
        return {"protection": guard}
    prices = {"stop_loss": stop, "take_profit": target}
    return {name: level.price for name, level in prices.items() if isinstance(level, AtPrice)}


def _size(body: Body) -> dict[str, Any]:
    size = _object(body, "size", ("type", "value"))
    match form.one_of(size, "type", ("fixed", "balance_pct", "risk_pct")):
        case "fixed":
            return {"collateral": form.positive(Usdc)(size, "value")}
        case "balance_pct":
            return {"size": Size(kind=SizeKind.BALANCE_PCT, share=share(size, "value"))}
        case _:
            return {"size": Size(kind=SizeKind.RISK_PCT, share=share(size, "value"))}


def _stop(body: Body, name: str) -> AtPrice | AtMove:
    stop = _object(body, name, ("type", "value"))
    if form.one_of(stop, "type", ("price", "pct")) == "price":
        return AtPrice(price=form.positive(Price)(stop, "value"))
    return AtMove(share=share(stop, "value"))


def _targets(body: Body, name: str) -> tuple[Target, ...]:
    listed = form.present(body, name)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_TARGETS:
        raise FormError(f"must be a list of 1 to {MAX_TARGETS} targets", field=name)
    return tuple(_one_target({name: each}, name) for each in listed)


def _one_target(body: Body, name: str) -> Target:
    target = _object(body, name, ("type", "value", "close_pct"), optional=("close_pct",))
    kind = form.one_of(target, "type", ("price", "pct", "rr"))
    level: Level
    match kind:
        case "price":
            level = AtPrice(price=form.positive(Price)(target, "value"))
        case "pct":
            level = AtMove(share=form.positive(Percent)(target, "value"))
        case _:
            level = AtReward(multiple=form.positive(Multiple)(target, "value"))
    return Target(level=level, close_share=form.optional(target, "close_pct", share) or EVERYTHING)


def _trail(body: Body, name: str) -> Trail:
    trail = _object(body, name, ("activate_pct", "delta_pct"))
    return Trail(activate=share(trail, "activate_pct"), distance=share(trail, "delta_pct"))


def _object(body: Body, name: str, keys: tuple[str, ...], *, optional: tuple[str, ...] = ()) -> dict[str, object]:
    found = form.present(body, name)
    if not isinstance(found, dict) or not set(keys) - set(optional) <= found.keys() <= set(keys):
        raise FormError(f"must be an object with {' and '.join(keys)}", field=name)
    return found
