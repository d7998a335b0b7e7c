"""What an exit needs."""

from risk.domain.decision import Check, Denial, closable_for, exits
from risk.domain.rules.speech import check
from risk.domain.situation import Situation
from trading.domain.units import Percent, Usdc

# A close may ask for 2 % more than is open (fees drift); it is clamped.
LARGEST_CLOSE = Percent.of(102)


def something_to_close(situation: Situation) -> Check | None:
    """An exit needs a position that nobody is closing already, and a share of it that isn't nothing."""
    if situation.is_entry:
        return None
    held = _held(situation)
    closing = sum((leg.collateral for leg in exits(situation)), Usdc.zero())
    symbol, share = situation.market.symbol, situation.wanted.reduce_share
    message = f"{share}% of ${held} in {symbol} is nothing" if held else f"No open position in {symbol}"
    return check(Denial.NOTHING_TO_CLOSE, bool(closing), f"${closing}", "an open position", message)


def close_size(situation: Situation) -> Check | None:
    """A close of more than is open is clamped up to the tolerance, and refused above it."""
    if situation.wanted.reduce_share is not None:
        return _close_share(situation.wanted.reduce_share)
    wanted = situation.wanted.reduce
    if wanted is None:
        return None
    held = _held(situation)
    limit = held.times_down(LARGEST_CLOSE.raw, Percent.HUNDRED)
    message = f"Close size ${wanted} exceeds position ${held}"
    return check(Denial.CLOSE_ABOVE_POSITION, wanted <= limit, f"${wanted}", f"${limit}", message)


def _close_share(share: Percent) -> Check:
    message = f"Close size {share}% exceeds the position"
    return check(Denial.CLOSE_ABOVE_POSITION, share <= LARGEST_CLOSE, f"{share}%", f"{LARGEST_CLOSE}%", message)


def _held(situation: Situation) -> Usdc:
    return sum((held.collateral for held in closable_for(situation)), Usdc.zero())
