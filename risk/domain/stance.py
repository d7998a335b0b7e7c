"""Signals of a strategy, which says where it stands: what is opposite is closed first, then its own side is opened.

Both halves are judged by the same rules, each by itself: whatever keeps the account from entering never keeps
it from leaving.
"""

from collections.abc import Iterator
from dataclasses import replace

from risk.domain import decision
from risk.domain.decision import Check, Decision, Denial, Rule, Verdict
from risk.domain.situation import Closable, Exposed, Situation
from trading.domain.position import Direction
from trading.domain.signal import Side, Stance
from trading.domain.units import Usdc, notional

_OTHER = {Direction.LONG: Direction.SHORT, Direction.SHORT: Direction.LONG}


def other(direction: Direction) -> Direction:
    """The side that gains where this one loses."""
    return _OTHER[direction]


def resolved(side: Side, *, standing: frozenset[Direction]) -> Side | None:
    """The side that SAME and OPPOSITE mean beside what is held; None where nothing or both sides are. Others mean themselves."""
    if side not in (Side.SAME, Side.OPPOSITE):
        return side
    if len(standing) != 1:
        return None
    (held,) = standing
    return Side(held if side is Side.SAME else other(held))


def nothing_held(side: Side, *, standing: frozenset[Direction], symbol: str) -> Decision:
    """The verdict on a side that can't be told."""
    value = " and ".join(sorted(standing)) or "nothing"
    message = f"{side} of what is held in {symbol}: {value}"
    return _denied(Check(code=Denial.NOTHING_HELD, passed=False, value=value, limit="one side", message=message))


def evaluate(situation: Situation, *, rules: tuple[Rule, ...]) -> Decision:
    """The verdict on a signal with a stance; one without is judged as it is."""
    if situation.wanted.stance is Stance.ANOTHER:
        return decision.evaluate(situation, rules=rules)
    opposite = opposed(situation)
    leaving = decision.evaluate(_leaving(situation, opposite), rules=rules) if opposite else None
    is_there = situation.wanted.stance is Stance.REACH and situation.direction in situation.standing
    if leaving is not None and (leaving.verdict is Verdict.DENIED or is_there):
        return leaving
    if is_there:
        return _denied(_reached(situation))
    return _joined(leaving, _entering(situation, opposite, rules=rules))


def exit_only(situation: Situation, *, rules: tuple[Rule, ...]) -> Decision | None:
    """What is left of a signal with a stance that came too late to enter; None if there is nothing to leave."""
    if situation.wanted.stance is Stance.ANOTHER:
        return None
    # With nothing opposite there is nothing to close: the rules deny that by themselves.
    leaving = decision.evaluate(_leaving(situation, opposed(situation)), rules=rules)
    return leaving if leaving.legs else None


def opposed(situation: Situation) -> tuple[Closable, ...]:
    """What is held on the other side and not being closed."""
    against = other(situation.direction)
    return tuple(held for held in situation.closable if held.direction is against and held.collateral)


def freed(closed: tuple[Closable, ...]) -> Usdc:
    """What closing these will surely bring."""
    return sum((held.worth for held in closed), Usdc.zero())


def _leaving(situation: Situation, opposite: tuple[Closable, ...]) -> Situation:
    wanted = replace(situation.wanted, side=Side.CLOSE, collateral=None, leverage=None, unsized=None, stance=Stance.ANOTHER)
    return replace(situation, wanted=wanted, closable=opposite)


def _entering(situation: Situation, opposite: tuple[Closable, ...], *, rules: tuple[Rule, ...]) -> Decision:
    """The entry, as it will be once what is opposite is closed: its room is free, and its money back."""
    if situation.funds is None:
        return _denied(_unseen())
    return decision.evaluate(
        replace(
            situation,
            wanted=replace(situation.wanted, stance=Stance.ANOTHER),
            funds=replace(situation.funds, free=situation.funds.free + freed(opposite)),
            exposed=tuple(_without(situation, opposite)),
        ),
        rules=rules,
    )


def _without(situation: Situation, gone: tuple[Closable, ...]) -> Iterator[Exposed]:
    for each in situation.exposed:
        mine = [held for held in gone if each.is_own and _counts(each, held, situation)]
        left = each.notional - sum((notional(held.collateral, held.leverage) for held in mine), Usdc.zero())
        yield replace(each, notional=max(left, Usdc.zero()), positions=each.positions - len(mine))


def _counts(each: Exposed, held: Closable, situation: Situation) -> bool:
    return (each.symbol, each.direction, each.source) == (situation.market.symbol, held.direction, held.source)


def _joined(leaving: Decision | None, entering: Decision) -> Decision:
    if leaving is None:
        return entering
    return Decision(verdict=Verdict.APPROVED, checks=leaving.checks + entering.checks, legs=leaving.legs + entering.legs)


def _reached(situation: Situation) -> Check:
    message = f"The account is {situation.direction} in {situation.market.symbol} already"
    return Check(
        code=Denial.TARGET_REACHED, passed=False, value=str(situation.direction), limit="the other side", message=message
    )


def _unseen() -> Check:
    message = "Nobody can say what the account has: only what is opposite is closed"
    return Check(code=Denial.ACCOUNT_UNSEEN, passed=False, value="unknown", limit="known", message=message)


def _denied(check: Check) -> Decision:
    return Decision(verdict=Verdict.DENIED, checks=(check,), legs=())
