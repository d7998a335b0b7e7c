"""A wallet on paper: what people put in and take out of it, and what each fill moves."""

from enum import StrEnum

from trading.domain.position import FillKind
from trading.domain.units import Usdc


class FlowKind(StrEnum):
    """Why money came or went that no trade moved."""

    STAKE = "STAKE"  # what every account begins with
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"

    def signed(self, amount: Usdc) -> Usdc:
        """What it moves in a wallet."""
        return -amount if self is FlowKind.WITHDRAWAL else amount


def moved(*, kind: FillKind, collateral: Usdc, fee: Usdc, payout: Usdc) -> Usdc:
    """What a fill on paper moves in its wallet: an open takes what was put up, a close brings its payout.

    Raises:
        ValueError: for what was adopted, since nothing on paper is found.
    """
    if kind is FillKind.ADOPTED:
        raise ValueError("nothing on paper is adopted")
    if kind is FillKind.MARGIN:
        return payout or -collateral
    return -(collateral + fee) if kind.opens else payout
