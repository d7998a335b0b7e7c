"""How much is open and promised already, of the desk and of the account. What is in flight counts as filled."""

from collections.abc import Callable
from dataclasses import dataclass

from risk.domain.decision import Check, Denial, Rule
from risk.domain.rules.speech import capped, check
from risk.domain.situation import Exposed, Situation
from trading.domain.units import Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One cap: which of all that is open it counts, and where its limit stands."""

    code: Denial
    whose: str
    counts: Callable[[Exposed, Situation], bool]
    limit: Callable[[Situation], Usdc | None]

    def __call__(self, situation: Situation) -> Check | None:
        """The entry with all that counts beside it, held to the cap; at the cap passes."""
        used = sum((each.notional for each in situation.exposed if self.counts(each, situation)), Usdc.zero())
        value, limit = used + situation.wanted.notional, self.limit(situation)
        message = f"Exposure ${value} exceeds the {self.whose} limit ${limit}, ${used} are open or promised"
        return capped(situation, self.code, value, limit, message)


CAPS: tuple[Cap, ...] = (
    Cap(
        code=Denial.EXPOSURE_ABOVE_SYMBOL_LIMIT,
        whose="symbol",
        counts=lambda each, situation: each.symbol == situation.market.symbol,
        limit=lambda situation: situation.policy.symbol.max_exposure,
    ),
    Cap(
        code=Denial.EXPOSURE_ABOVE_SIDE_LIMIT,
        whose="side",
        counts=lambda each, situation: each.direction is situation.direction,
        limit=lambda situation: situation.policy.desk.max_side_exposure,
    ),
    Cap(
        code=Denial.EXPOSURE_ABOVE_SOURCE_LIMIT,
        whose="source",
        counts=lambda each, situation: each.source == situation.source.name,
        limit=lambda situation: situation.policy.overall.max_source_exposure,
    ),
    Cap(
        code=Denial.EXPOSURE_ABOVE_ACCOUNT_LIMIT,
        whose="account",
        counts=lambda each, _: each.is_own,
        limit=lambda situation: situation.policy.account.max_exposure,
    ),
    Cap(
        code=Denial.EXPOSURE_ABOVE_DESK_LIMIT,
        whose="desk",
        counts=lambda *_: True,
        limit=lambda situation: situation.policy.desk.max_exposure,
    ),
    Cap(
        code=Denial.EXPOSURE_ABOVE_GROUP_LIMIT,
        whose="group",
        counts=lambda each, situation: each.group == situation.market.group,
        limit=lambda situation: situation.policy.desk.max_group_exposure,
    ),
)


def _entry_only(cap: Cap) -> Rule:
    # A side has a direction only when it opens.
    return lambda situation: cap(situation) if situation.is_entry else None


RULES: tuple[Rule, ...] = tuple(_entry_only(cap) for cap in CAPS)


def open_positions(situation: Situation) -> Check | None:
    """So many positions of an account at a time."""
    limit = situation.policy.overall.max_open_positions
    if not situation.is_entry or limit is None:
        return None
    value = sum(each.positions for each in situation.exposed if each.is_own) + 1
    message = f"{value - 1} positions are open or promised, limit {limit}"
    return check(Denial.TOO_MANY_POSITIONS, value <= limit, str(value), str(limit), message)
