"""What an alert wants done: an action, or where its strategy stands."""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.domain import form
from trading.domain.form import FormError
from trading.domain.signal import ENTRIES, Side, Stance
from trading.domain.units import Multiple, Percent

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What an alert wants done."""

    side: Side
    stance: Stance = Stance.ANOTHER
    closes: Side | None = None
    share: Percent | None = None

    @property
    def is_entry(self) -> bool:
        """Whether it asks for more exposure."""
        return self.side in ENTRIES


_ACTIONS: dict[str, Aim] = {
    "long": Aim(side=Side.LONG),
    "buy": Aim(side=Side.LONG),
    "short": Aim(side=Side.SHORT),
    "sell": Aim(side=Side.SHORT),
    "add": Aim(side=Side.SAME),
    "reverse": Aim(side=Side.OPPOSITE, stance=Stance.REACH),
    "close": Aim(side=Side.CLOSE),
    "flat": Aim(side=Side.CLOSE),
    "close_long": Aim(side=Side.CLOSE, closes=Side.LONG),
    "close_short": Aim(side=Side.CLOSE, closes=Side.SHORT),
    "reduce": Aim(side=Side.CLOSE),
    "cancel": Aim(side=Side.CANCEL),
}
# A strategy's own words: what they mean depends on where it stands afterwards.
_OF_STRATEGY = ("buy", "sell", "long", "short")
_POSITIONS = {"long": Side.LONG, "short": Side.SHORT, "flat": None}


def read(body: Body) -> Aim:
    """What an alert's action means, or its strategy's position."""
    action = form.one_of(body, "action", tuple(_ACTIONS)) if "action" in body else ""
    if "market_position" in body and (not action or action in _OF_STRATEGY):
        return _target(body, ordered=_ACTIONS[action].side if action else None)
    if not action:
        raise FormError("missing", field="action", code="FIELD_MISSING")
    if action == "reduce":
        return Aim(side=Side.CLOSE, share=form.positive(Percent)(body, "reduce_pct"))
    return _ACTIONS[action]


def _target(body: Body, *, ordered: Side | None) -> Aim:
    """Where a strategy stands after its order decides, not the order's own word: a `sell` may close, reduce or reverse."""
    stands = _POSITIONS[form.one_of(body, "market_position", tuple(_POSITIONS))]
    if stands is None:
        return Aim(side=Side.CLOSE)
    stood = _POSITIONS[form.one_of(body, "prev_market_position", tuple(_POSITIONS))] if "prev_market_position" in body else None
    if stood is not stands or ordered is None:
        return Aim(side=stands, stance=Stance.REACH)
    if ordered is stands:
        return Aim(side=stands, stance=Stance.GROW)
    return Aim(side=Side.CLOSE, closes=stands, share=_reduced(body))


def _reduced(body: Body) -> Percent:
    """How much of the position an order took away that left some of it."""
    if "reduce_pct" in body:
        return form.positive(Percent)(body, "reduce_pct")
    sold = form.positive(Multiple)(body, "contracts")
    left = form.positive(Multiple)({"position_size": str(body.get("position_size", "")).removeprefix("-")}, "position_size")
    return Percent.of(100).times_down(sold.raw, sold.raw + left.raw)
