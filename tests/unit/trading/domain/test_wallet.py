"""What a fill, a deposit and a withdrawal move in a wallet on paper."""

import pytest

from trading.domain.position import FillKind
from trading.domain.units import Usdc
from trading.domain.wallet import FlowKind, moved

COLLATERAL, FEE, PAYOUT = Usdc.of(40), Usdc.of(2), Usdc.of(55)
MOVED = {
    FillKind.OPEN: Usdc.of(-42),
    FillKind.INCREASE: Usdc.of(-42),
    FillKind.CLOSE: PAYOUT,
    FillKind.TAKE_PROFIT: PAYOUT,
    FillKind.STOP_LOSS: PAYOUT,
    FillKind.LIQUIDATION: PAYOUT,
    FillKind.MARGIN: PAYOUT,
}


@pytest.mark.parametrize("kind", [kind for kind in FillKind if kind is not FillKind.ADOPTED])
def test_a_fill_moves_what_it_took_or_paid(kind: FillKind) -> None:
    assert moved(kind=kind, collateral=COLLATERAL, fee=FEE, payout=PAYOUT) == MOVED[kind]


def test_margin_that_is_put_in_pays_nothing() -> None:
    assert moved(kind=FillKind.MARGIN, collateral=COLLATERAL, fee=Usdc.zero(), payout=Usdc.zero()) == -COLLATERAL


def test_nothing_on_paper_is_adopted() -> None:
    with pytest.raises(ValueError, match="adopted"):
        moved(kind=FillKind.ADOPTED, collateral=COLLATERAL, fee=FEE, payout=PAYOUT)


@pytest.mark.parametrize(("kind", "sign"), [(FlowKind.STAKE, 1), (FlowKind.DEPOSIT, 1), (FlowKind.WITHDRAWAL, -1)])
def test_only_a_withdrawal_takes(kind: FlowKind, sign: int) -> None:
    assert kind.signed(Usdc(7)) == Usdc(sign * 7)
