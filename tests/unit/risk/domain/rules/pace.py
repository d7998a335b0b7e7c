"""How fast an account may go, on both sides: an entry of 50 at 3x."""

from datetime import timedelta

from risk.domain.decision import Denial
from risk.domain.rules import pace
from risk.domain.situation import Pace
from tests.factories import NOW
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import entry, limited
from trading.domain.units import Usdc

SOON = NOW + timedelta(seconds=7)
FIVE = limited(max_opens_per_minute=5)
FIFTY = limited(max_trades_per_day=50)
COLLATERAL = limited(max_collateral_per_hour=Usdc.of(10_000))
VOLUME = limited(max_volume_per_day=Usdc.of(10_000))

PASSES: list[Pass] = [
    (pace.opens, entry(policy=FIVE, pace=Pace(opens_in_minute=4))),
    (pace.trades, entry(policy=FIFTY, pace=Pace(trades_in_day=49))),
    (pace.collateral, entry(policy=COLLATERAL, pace=Pace(collateral_in_hour=Usdc.of(9_950)))),
    (pace.volume, entry(policy=VOLUME, pace=Pace(volume_in_day=Usdc.of(9_850)))),
]

REFUSALS: list[Refusal] = [
    refusal(
        pace.opens,
        entry(policy=FIVE, pace=Pace(opens_in_minute=5, opens_free_at=SOON)),
        Denial.RATE_OPENS,
        value="6",
        limit="5",
        message=f"rate limit: 5 of 5 opens in 60 s are used; the oldest leaves the window at {SOON.isoformat()}",
    ),
    refusal(
        pace.trades,
        entry(policy=FIFTY, pace=Pace(trades_in_day=50, trades_free_at=SOON)),
        Denial.RATE_TRADES,
        value="51",
        limit="50",
        message=f"rate limit: 50 of 50 trades in 24 h are used; the oldest leaves the window at {SOON.isoformat()}",
    ),
    refusal(
        pace.collateral,
        entry(policy=COLLATERAL, pace=Pace(collateral_in_hour=Usdc.of("9950.000001"), collateral_free_at=SOON)),
        Denial.RATE_COLLATERAL,
        value="$10000.000001",
        limit="$10000",
        message="rate limit: $9950.000001 of $10000 are used, $50 more are wanted;"
        f" the oldest leaves the window at {SOON.isoformat()}",
    ),
    refusal(
        pace.volume,
        entry(collateral="3333.333334", policy=VOLUME),
        Denial.RATE_VOLUME,
        value="$10000.000002",
        limit="$10000",
        message="rate limit: $0 of $10000 are used, $10000.000002 more are wanted",
    ),
]
