"""Situations for the rules: an entry of 50 USDC at 3x, or a close, in which everything passes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from risk.domain.halt import UNSET
from risk.domain.policy import EffectivePolicy, Limits
from risk.domain.situation import Closable, Exposed, Funds, MarketFacts, Pace, Situation, SourceFacts, Wanted
from tests.factories import NOW
from trading.domain.mode import Book, EffectiveMode, Mode
from trading.domain.position import Direction
from trading.domain.price import AgreedPrice
from trading.domain.signal import Side
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei

MARKET = MarketFacts(
    symbol="BTC-USD",
    group="crypto",
    is_open=True,
    is_close_only=False,
    min_notional=Usdc.of(100),
    min_leverage=Leverage.of(1),
    max_leverage=Leverage.of(250),
    cost=Percent.of("0.2"),
)
NOTHING = Limits()
POLICY = EffectivePolicy(overall=Limits(max_leverage=Leverage.of(500)), desk=NOTHING, symbol=NOTHING, account=NOTHING)
PRICE = AgreedPrice(symbol="BTC-USD", price=Price.of(60_000), published_at=NOW, sources=("chainlink",))
RUNNING = EffectiveMode(mode=Mode.LIVE, emergency_stop=False, reasons=())
STOPPED = EffectiveMode(mode=Mode.DRY, emergency_stop=True, reasons=("emergency stop by environment", "the switch says DRY"))

OPEN = Wanted(
    side=Side.LONG,
    collateral=Usdc.of(50),
    leverage=Leverage.of(3),
    reduce=None,
    reduce_share=None,
    slippage=Percent.of("0.5"),
    price=None,
    take_profit=None,
    stop_loss=None,
    signaled_at=None,
)
FUNDS = Funds(
    free=Usdc.of(1_000_000),
    equity=Usdc.of(1_000_000),
    allowance=Usdc.of(1_000_000),
    delegated_until=NOW + timedelta(days=1),
    gas=Wei(10**15),
)
CLOSE = replace(OPEN, side=Side.CLOSE, collateral=None, leverage=None)


def held(collateral: object = 50, *, position_id: int = 1, age_minutes: int = 60) -> Closable:
    return Closable(
        position_id=position_id,
        direction=Direction.LONG,
        leverage=Leverage.of(3),
        collateral=Usdc.of(str(collateral)),
        opened_at=NOW - timedelta(minutes=age_minutes),
    )


def situation(wanted: Wanted, **changes: Any) -> Situation:
    quiet: dict[str, Any] = {
        "at": NOW,
        "wanted": wanted,
        "book": Book.LIVE,
        "account": 123,
        "source": SourceFacts(name="default"),
        "mode": RUNNING,
        "takes_entries": True,
        "in_maintenance": False,
        "market": MARKET,
        "policy": POLICY,
        "price": PRICE,
        "price_trouble": None,
        "state": UNSET,
        "locks": (),
        "closable": (held(),),
        "standing": frozenset({Direction.LONG}),
        "applied_up_to": None,
        "funds": FUNDS,
        "gas_floor": Wei(10**15),
        "exposed": (),
        "pace": Pace(),
        "canary": None,
    }
    return Situation(**quiet | changes)


def entry(*, collateral: object = 50, leverage: object = 3, **changes: Any) -> Situation:
    wanted = replace(OPEN, collateral=Usdc.of(str(collateral)), leverage=Leverage.of(str(leverage)))
    return situation(wanted, **changes)


def close(*, usdc: object = None, pct: object = None, **changes: Any) -> Situation:
    reduce = None if usdc is None else Usdc.of(str(usdc))
    return situation(replace(CLOSE, reduce=reduce, reduce_share=None if pct is None else Percent.of(str(pct))), **changes)


def limited(*, scope: str = "overall", **limits: Any) -> EffectivePolicy:
    """A policy in effect with some limits at one width; those of an account or a market hold overall too."""
    said = replace(NOTHING, **limits)
    overall = replace(POLICY.overall, **limits) if scope == "overall" else POLICY.overall
    return replace(POLICY, overall=overall) if scope == "overall" else replace(POLICY, **{scope: said})


def exposed(notional: object, **changes: Any) -> Exposed:
    """Something open: a long of this account in BTC, from the default source, where nothing else is said."""
    own: dict[str, Any] = {
        "is_own": True,
        "symbol": "BTC-USD",
        "group": "crypto",
        "direction": Direction.LONG,
        "source": "default",
    }
    return Exposed(notional=Usdc.of(str(notional)), **own | changes)
