"""Tracking: why a follower made something else than his leader, part by part, adding up to the unit.

For each trade of the leader a chain of suppositions leads from what the follower's size would have made of it to what he
made: not copied at all; at his real size and leverage; at his own entry; at his own exit; with his own costs. Each part
is the step between two of them, so no rounding is lost: it falls into the part at which it happens.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

from trading.domain.position import Direction
from trading.domain.units import Percent, Price, Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a position made, in parts: costs are what was paid."""

    notional: Usdc
    entry: Price
    price_pnl: Usdc
    fees: Usdc
    carrying: Usdc

    @property
    def net(self) -> Usdc:
        """What is left."""
        return self.price_pnl - self.fees - self.carrying


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One open of a leader, as part of a position that he closed, and what it became for a follower.

    `put_up` and `notional` are the open's; `wanted` is what the follower's size asks before any cap. `copied` is None
    with the reason why not.
    """

    direction: Direction
    leader: Made
    put_up: Usdc
    notional: Usdc
    wanted: Usdc
    copied: Made | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where the difference comes from; above zero is in the follower's favor."""

    not_copied: dict[str, Usdc] = field(default_factory=dict)
    size: Usdc = field(default_factory=Usdc.zero)
    entry: Usdc = field(default_factory=Usdc.zero)
    exit: Usdc = field(default_factory=Usdc.zero)
    fees: Usdc = field(default_factory=Usdc.zero)
    carrying: Usdc = field(default_factory=Usdc.zero)

    def __add__(self, other: "Parts") -> "Parts":
        reasons = {*self.not_copied, *other.not_copied}
        zero = Usdc.zero()
        return Parts(
            not_copied={why: self.not_copied.get(why, zero) + other.not_copied.get(why, zero) for why in sorted(reasons)},
            size=self.size + other.size,
            entry=self.entry + other.entry,
            exit=self.exit + other.exit,
            fees=self.fees + other.fees,
            carrying=self.carrying + other.carrying,
        )

    @property
    def missed(self) -> Usdc:
        """What wasn't copied, all reasons together."""
        return sum(self.not_copied.values(), Usdc.zero())

    @property
    def total(self) -> Usdc:
        """All of them."""
        return self.missed + self.size + self.entry + self.exit + self.fees + self.carrying


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A day: what both made on which basis, and the difference in parts.

    A basis is collateral: what the leader put up, and what the follower's size asked for the same trades. `expected` is
    the leader's return on the follower's basis; `follower_net - expected` is the sum of the parts.
    """

    trades: int
    leader_net: Usdc
    leader_basis: Usdc
    follower_net: Usdc
    follower_basis: Usdc
    expected: Usdc
    parts: Parts

    @property
    def leader_return(self) -> Percent:
        """Of his basis, rounded down."""
        return _share(self.leader_net, self.leader_basis)

    @property
    def follower_return(self) -> Percent:
        """Of his basis, rounded down."""
        return _share(self.follower_net, self.follower_basis)


def report(trades: Iterable[Trade]) -> Report:
    """A day of a following."""
    listed = list(trades)
    zero = Usdc.zero()
    leader_net = sum((_part(each.leader.net, _of_position(each)) for each in listed), zero)
    leader_basis = sum((each.put_up for each in listed), zero)
    follower_net = sum((each.copied.net for each in listed if each.copied is not None), zero)
    follower_basis = sum((each.wanted for each in listed), zero)
    expected = _part(leader_net, Fraction(follower_basis.raw, leader_basis.raw)) if leader_basis else zero
    ideal = sum((_ideal(each) for each in listed), zero)
    parts = sum((_parts(each) for each in listed), Parts())
    # A size that isn't a share of the leader's weighs his trades otherwise than he did.
    weighed = replace(parts, size=parts.size + ideal - expected)
    return Report(
        trades=len(listed),
        leader_net=leader_net,
        leader_basis=leader_basis,
        follower_net=follower_net,
        follower_basis=follower_basis,
        expected=expected,
        parts=weighed,
    )


def _parts(trade: Trade) -> Parts:
    ideal = _ideal(trade)
    if trade.copied is None:
        return Parts(not_copied={trade.reason: -ideal})
    own, scale = trade.copied, _of_position(trade) * Fraction(trade.copied.notional.raw, trade.notional.raw)
    price, fees, carrying = (_part(each, scale) for each in (trade.leader.price_pnl, trade.leader.fees, trade.leader.carrying))
    entered = _at_leaders_exit(trade, own)
    return Parts(
        size=price - fees - carrying - ideal,
        entry=entered - price,
        exit=own.price_pnl - entered,
        fees=fees - own.fees,
        carrying=carrying - own.carrying,
    )


def _ideal(trade: Trade) -> Usdc:
    """What the follower's size would have made of the leader's trade, at his leverage, prices and costs."""
    return (
        _part(trade.leader.net, _of_position(trade) * Fraction(trade.wanted.raw, trade.put_up.raw))
        if trade.put_up
        else Usdc.zero()
    )


def _of_position(trade: Trade) -> Fraction:
    """How much of the leader's position this open is."""
    return Fraction(trade.notional.raw, trade.leader.notional.raw) if trade.leader.notional else Fraction(0)


def _at_leaders_exit(trade: Trade, own: Made) -> Usdc:
    """What the follower's position would have made from his entry to the price at which the leader got out."""
    sign = 1 if trade.direction is Direction.LONG else -1
    moved = Fraction(trade.leader.price_pnl.raw, trade.leader.notional.raw) if trade.leader.notional else Fraction(0)
    left_at = trade.leader.entry.raw * (1 + sign * moved)
    return _part(own.notional, sign * (left_at - own.entry.raw) / own.entry.raw)


def _part(amount: Usdc, share: Fraction) -> Usdc:
    """A share of an amount, rounded toward minus infinity."""
    return Usdc.from_raw(floor(amount.raw * share))


def _share(amount: Usdc, basis: Usdc) -> Percent:
    return Percent.from_raw(amount.raw * Percent.HUNDRED // basis.raw) if basis else Percent.zero()
