"""Fees: what is offered first, what a higher offer must be (EIP-1559; wei a gas)."""

from dataclasses import dataclass

from trading.domain.units import Wei

# Nodes demand 10 % more on both fields for a replacement; an eighth passes all of them.
BUMP = (9, 8)
# The least tip that a block builder looks at.
MIN_TIP = Wei(1_000_000)
# A call may use a fifth more than its estimate.
GAS_MARGIN = (6, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The most we pay for a gas, and the tip within it."""

    fee_cap: Wei
    tip_cap: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeQuote:
    """What the chain asks now: the next block's base fee, and the tip that others give."""

    base_fee: Wei
    tip: Wei


def first_offer(quote: FeeQuote, *, ceiling: Wei) -> Offer:
    """Twice the next base fee plus the tip: it stays valid through six full blocks. Never above the ceiling."""
    tip = max(quote.tip, MIN_TIP)
    cap = min(quote.base_fee.times_up(2) + tip, ceiling)
    return Offer(fee_cap=cap, tip_cap=min(tip, cap))


def higher_offer(last: Offer, *, quote: FeeQuote, ceiling: Wei) -> Offer | None:
    """An offer that every node takes as a replacement and the market as fresh; None if the ceiling forbids one."""
    fresh = first_offer(quote, ceiling=ceiling)
    cap = max(last.fee_cap.times_up(*BUMP), fresh.fee_cap)
    tip = max(last.tip_cap.times_up(*BUMP), fresh.tip_cap)
    return Offer(fee_cap=cap, tip_cap=tip) if cap <= ceiling else None


def gas_limit(estimate: int, *, cap: int) -> int:
    """The estimate with its margin, never above what the chain takes in one transaction."""
    margin, whole = GAS_MARGIN
    return min(-(-estimate * margin // whole), cap)
