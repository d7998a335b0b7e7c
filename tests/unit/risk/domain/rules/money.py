"""What an account has and may risk, on both sides."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from risk.domain.decision import Denial
from risk.domain.rules import money
from risk.domain.situation import Situation
from risk.domain.sizing import Unsized
from tests.factories import NOW
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import FUNDS, OPEN, entry, limited, situation
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei

NEEDED = NOW + timedelta(seconds=60)
TENTH = limited(max_account_risk=Percent.of(10))


def having(**changes: Any) -> Situation:
    return entry(funds=replace(FUNDS, **changes))


def risking(collateral: object, *, stop: object = None, leverage: object = 2) -> Situation:
    """An entry at 60,000 for an equity of 1,000."""
    wanted = replace(
        OPEN,
        collateral=Usdc.of(str(collateral)),
        leverage=Leverage.of(str(leverage)),
        stop_loss=None if stop is None else Price.of(str(stop)),
    )
    return situation(wanted, policy=TENTH, funds=replace(FUNDS, equity=Usdc.of(1_000)))


def unsized(why: Unsized) -> Situation:
    return situation(replace(OPEN, collateral=None, unsized=why))


PASSES: list[Pass] = [
    (money.free_collateral, having(free=Usdc.of(50))),
    (money.account_risk, risking(100)),
    # 1,000 × (600 / 60,000 + 0.2 %) = 12 of notional 1,000: 2x of 500 loses 12.
    (money.account_risk, risking(500, stop=59_400)),
    # Notional 1,000 at 9.8 % and 0.2 %: exactly a tenth of the equity.
    (money.account_risk, risking(500, stop=54_120)),
    # Liquidated before: nobody loses more than he put up.
    (money.account_risk, risking(100, stop=1, leverage=100)),
    (money.gas, having(gas=Wei(10**15))),
    (money.allowance, having(allowance=Usdc.of(50))),
    (money.delegation, having(delegated_until=NEEDED)),
]

REFUSALS: list[Refusal] = [
    refusal(
        money.size,
        unsized(Unsized.STOP_REQUIRED),
        Denial.STOP_REQUIRED,
        value="none",
        limit="some collateral",
        message="A size by risk needs a stop",
    ),
    refusal(
        money.size,
        unsized(Unsized.PRICE_UNKNOWN),
        Denial.SIZE_UNKNOWN,
        value="none",
        limit="some collateral",
        message="A size by risk needs a price",
    ),
    refusal(
        money.size,
        unsized(Unsized.NOTHING),
        Denial.SIZE_UNKNOWN,
        value="none",
        limit="some collateral",
        message="The size rounds down to nothing",
    ),
    refusal(
        money.free_collateral,
        having(free=Usdc.of("49.999999")),
        Denial.INSUFFICIENT_COLLATERAL,
        value="$50",
        limit="$49.999999",
        message="Insufficient collateral: $50 required, $49.999999 available",
    ),
    refusal(
        money.account_risk,
        risking("100.000001"),
        Denial.ACCOUNT_RISK_ABOVE_MAX,
        value="$100.000001",
        limit="$100",
        message="Risks $100.000001 at liquidation, there is no stop, 10% of the equity is $100",
    ),
    refusal(
        money.account_risk,
        risking("500.000001", stop=54_120),
        Denial.ACCOUNT_RISK_ABOVE_MAX,
        value="$100.000001",
        limit="$100",
        message="Risks $100.000001 at the stop, 10% of the equity is $100",
    ),
    refusal(
        money.account_risk,
        entry(
            collateral="333.333334",
            leverage=1,
            policy=limited(max_account_risk=Percent.of("33.3333333333")),
            funds=replace(FUNDS, equity=Usdc.of(1_000)),
        ),
        Denial.ACCOUNT_RISK_ABOVE_MAX,
        value="$333.333334",
        # Rounded down: a limit is never passed by a rounding.
        limit="$333.333333",
        message="Risks $333.333334 at liquidation, there is no stop, 33.3333333333% of the equity is $333.333333",
    ),
    refusal(
        money.gas,
        having(gas=Wei(10**15 - 1)),
        Denial.GAS_TOO_LOW,
        value="999999999999999 wei",
        limit="1000000000000000 wei",
        message="The sender has 999999999999999 wei for gas, it needs 1000000000000000",
    ),
    refusal(
        money.allowance,
        having(allowance=Usdc.of("49.999999")),
        Denial.ALLOWANCE_TOO_LOW,
        value="$50",
        limit="$49.999999",
        message="The venue may take $49.999999, $50 are required: approve more",
    ),
    refusal(
        money.delegation,
        having(delegated_until=NEEDED - timedelta(microseconds=1)),
        Denial.DELEGATE_INVALID,
        value=(NEEDED - timedelta(microseconds=1)).isoformat(),
        limit=NEEDED.isoformat(),
        message=f"The delegate ends {(NEEDED - timedelta(microseconds=1)).isoformat()}",
    ),
    refusal(
        money.delegation,
        having(delegated_until=None),
        Denial.DELEGATE_INVALID,
        value="none",
        limit=NEEDED.isoformat(),
        message="No sender of ours may trade for this account: set the delegate",
    ),
]
