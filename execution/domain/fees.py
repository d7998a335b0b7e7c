"""Fees: what is offered first, what a higher offer must be (EIP-1559; wei a gas)."""

from dataclasses import dataclass, field

from trading.domain.units import Wei

# Nodes demand 10 % more on both fields for a replacement; an eighth passes all of them.
BUMP = (9, 8)
# From the fourth offer on: what three steps couldn't mend needs a bigger one.
STEEP_BUMP = (5, 4)
STEEP_FROM = 4
# The least step that nodes take; near the ceiling a smaller step than ours must still fit.
LEAST_BUMP = (11, 10)
# A call stays below this share of the ceiling: one least step above it, a cancellation still fits.
CALL_SHARE = (9, 10)
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
    """What the chain asks now: the next block's base fee, the tip that others give, and the one of those in a hurry."""

    base_fee: Wei
    tip: Wei
    urgent_tip: Wei = field(default_factory=Wei.zero)

    @property
    def urgent(self) -> "FeeQuote":
        """The same for what can't wait: exits."""
        return FeeQuote(base_fee=self.base_fee, tip=max(self.tip, self.urgent_tip))


def call_ceiling(ceiling: Wei) -> Wei:
    """The most that a call may offer: the rest, up to the ceiling, is kept for its cancellation."""
    return ceiling.times_down(*CALL_SHARE)


def is_affordable(quote: FeeQuote, *, ceiling: Wei) -> bool:
    """Whether an offer within the ceiling could be mined in the next block at all."""
    return quote.base_fee + MIN_TIP <= ceiling


def first_offer(quote: FeeQuote, *, ceiling: Wei) -> Offer:
    """Twice the next base fee plus the tip: it stays valid through six full blocks. Never above the ceiling."""
    tip = max(quote.tip, MIN_TIP)
    cap = min(quote.base_fee.times_up(2) + tip, ceiling)
    return Offer(fee_cap=cap, tip_cap=min(tip, cap))


def higher_offer(last: Offer, *, quote: FeeQuote, ceiling: Wei, number: int) -> Offer | None:
    """The offer of this number for a nonce: every node takes it as a replacement and the market as fresh.

    None if the ceiling forbids even the least step.
    """
    fresh = first_offer(quote, ceiling=ceiling)
    step = STEEP_BUMP if number >= STEEP_FROM else BUMP
    offers = (_raised(last, fresh=fresh, step=step) for step in (step, LEAST_BUMP))
    return next((offer for offer in offers if offer.fee_cap <= ceiling), None)


def _raised(last: Offer, *, fresh: Offer, step: tuple[int, int]) -> Offer:
    cap = max(last.fee_cap.times_up(*step), fresh.fee_cap)
    return Offer(fee_cap=cap, tip_cap=max(last.tip_cap.times_up(*step), fresh.tip_cap))


def gas_limit(estimate: int, *, cap: int) -> int:
    """The estimate with its margin, never above what the chain takes in one transaction."""
    margin, whole = GAS_MARGIN
    return min(-(-estimate * margin // whole), cap)
