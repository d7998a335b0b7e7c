"""What a day must leave: our books and the venue's are the same, and every dollar is accounted for."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from devnet.markets import MARKETS
from execution.models import VenueOrder
from tests.scenario.day import PURSE, Day
from trading.domain.units import Usdc
from trading.models import Fill, Position, Trader
from trading.models.position import EARNED, WALLET_GAIN

_SUMS = ("price_pnl_usdc", "fee_usdc", "rollover_usdc", "funding_usdc", "payout_usdc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was compared, and what isn't the same; empty differences: the proof holds."""

    fills: dict[str, int]
    orders: dict[str, int]
    positions: int
    open_positions: int
    sums: dict[str, Usdc]
    earned: Usdc
    differences: list[str]

    def __str__(self) -> str:
        parts = ", ".join(f"{name.removesuffix('_usdc')} {amount}" for name, amount in self.sums.items())
        return (
            f"fills {self.fills}; orders {self.orders}; positions {self.positions}, open {self.open_positions}; "
            f"{parts}; earned {self.earned}; differences {len(self.differences)}"
        )


def judge(day: Day) -> Verdict:
    """Compare everything."""
    fills = Fill.objects.canonical()
    orders = VenueOrder.objects.canonical()
    sums = fills.aggregate(**{f"all_{name}": Sum(name) for name in _SUMS}, earned=Sum(EARNED))
    return Verdict(
        fills=dict(Counter(fills.values_list("kind", flat=True))),
        orders=dict(Counter(f"{kind} {status}" for kind, status in orders.values_list("kind", "status"))),
        positions=Position.objects.exclude(status="VOID").count(),
        open_positions=Position.objects.open().count(),
        sums={name: sums[f"all_{name}"] or Usdc.zero() for name in _SUMS},
        earned=sums["earned"] or Usdc.zero(),
        differences=[*_positions(day), *_wallets(day), *_pools(day, earned=sums["earned"] or Usdc.zero()), *_waiting(day)],
    )


def _read(day: Day, contract: str, view: str, *arguments: Any) -> Any:
    return day.world.deployment.contract(contract).read(day.world.rpc, view, *arguments)


def _theirs(day: Day) -> set[tuple[Any, ...]]:
    """Every position that the venue stores."""
    keys = _read(day, "TradingStorage", "tradeKeys", 0, 10_000)
    places = [_read(day, "TradingStorage", "unkey", key) for key in keys]
    trades = [_read(day, "TradingStorage", "openTrade", *place) for place in places]
    names = ("pairIndex", "index", "positionSizeUSDC", "initialPosToken", "leverage", "openPrice", "buy", "tp", "sl")
    return {(trade["trader"].lower(), *(trade[name] for name in names)) for trade in trades}


def _ours() -> set[tuple[Any, ...]]:
    held = Position.objects.open().select_related("trader", "market")
    return {
        (
            *(row.trader.address.lower(), row.market.pair_index, row.venue_index, int(row.opened_at.timestamp())),
            *(row.collateral_usdc.raw, row.leverage_x.raw, row.entry_price.raw, row.direction == "LONG"),
            *(level.raw if level else 0 for level in (row.take_profit, row.stop_loss)),
        )
        for row in held
    }


def _positions(day: Day) -> list[str]:
    ours, theirs = _ours(), _theirs(day)
    return [f"only ours: {each}" for each in ours - theirs] + [f"only the venue's: {each}" for each in theirs - ours]


def _escrow(trader: Trader | None = None) -> Usdc:
    """What pending orders have put up."""
    waiting = VenueOrder.objects.pending().exclude(kind="CLOSE")
    mine = waiting if trader is None else waiting.filter(trader=trader)
    return mine.aggregate(sum=Sum("collateral_usdc"))["sum"] or Usdc.zero()


def _wallets(day: Day) -> list[str]:
    """Each trader's dollars are those he began with, and what his fills brought and his orders put up."""
    found = []
    for hand in day.hands:
        trader = Trader.objects.get(address=hand.address)
        gained = Fill.objects.canonical().filter(trader=trader).aggregate(sum=Sum(WALLET_GAIN))["sum"] or Usdc.zero()
        expected, there = Usdc.of(PURSE) + gained - _escrow(trader), day.world.balance(hand.address)
        if expected != there:
            found.append(f"{trader.name} has {there}, by our books {expected}")
    return found


def _pools(day: Day, *, earned: Usdc) -> list[str]:
    """What traders earned the vault paid; what they hold and what waits is in escrow."""
    at = day.world.deployment
    paid = day.vault_at_first - day.world.balance(at.vault)
    held = Position.objects.open().aggregate(sum=Sum("collateral_usdc"))["sum"] or Usdc.zero()
    found = [] if paid == earned else [f"the vault paid {paid}, by our books {earned}"]
    escrow = day.world.balance(at.storage)
    return found if escrow == held + _escrow() else [*found, f"in escrow {escrow}, by our books {held + _escrow()}"]


def _waiting(day: Day) -> list[str]:
    """What waits at the venue waits in our books."""
    pending, _ = _read(day, "TradingStorage", "pendingOrders", 0, 10_000)
    numbers = set(VenueOrder.objects.pending().exclude(kind="LIMIT").values_list("venue_order_id", flat=True))
    limits = VenueOrder.objects.pending().filter(kind="LIMIT").count()
    counts = [
        _read(day, "TradingStorage", "openLimitOrdersCount", hand.address, market.pair_index)
        for hand in day.hands
        for market in MARKETS
    ]
    found = [] if set(pending) == numbers else [f"pending there {sorted(pending)}, by our books {sorted(numbers)}"]
    return found if sum(counts) == limits else [*found, f"{sum(counts)} limits there, {limits} in our books"]
