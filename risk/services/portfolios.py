"""What an account holds and has promised, read once for a batch of its signals."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from risk.domain.decision import Action, Closable, LegPlan, MarketFacts, Situation, Wanted
from risk.domain.policy import EffectivePolicy, strictest
from risk.models import Leg, Policy
from trading import selectors
from trading.domain.mode import EffectiveMode
from trading.domain.position import Direction
from trading.domain.price import AgreedPrice
from trading.domain.signal import Side
from trading.domain.units import Leverage, Usdc
from trading.kinds import piece
from trading.models import Market, ModeState, Position, Signal, Trader


@dataclass(slots=True, kw_only=True)
class Portfolio:
    """An account under its lock. `promised` grows as the batch is decided, so that two signals can't pass one limit."""

    trader: Trader
    at: datetime
    mode: EffectiveMode
    desk: ModeState
    policies: list[Policy]
    prices: dict[str, AgreedPrice]
    positions: list[Position]
    promised: dict[int, Usdc]

    def situation(self, signal: Signal) -> Situation:
        """All that the rules may look at for one signal."""
        return Situation(
            at=self.at,
            wanted=_wanted(signal),
            mode=self.mode,
            takes_entries=self.desk.signals_enabled,
            in_maintenance=self.desk.maintenance,
            market=_market_facts(signal.market),
            policy=self._policy(signal),
            price=self.prices.get(signal.market.symbol),
            closable=self._closable(signal),
        )

    def promise(self, plan: LegPlan) -> None:
        """Count a leg as filled from now on."""
        if plan.position_id is not None:
            self.promised[plan.position_id] = self.promised.get(plan.position_id, Usdc.zero()) + plan.collateral

    def _policy(self, signal: Signal) -> EffectivePolicy:
        return strictest(
            (policy.as_row() for policy in self.policies),
            ceiling=Leverage.of(settings.MAX_LEVERAGE),
            tg_user_id=self.trader.tg_user_id,
            symbol=signal.market.symbol,
        )

    def _closable(self, signal: Signal) -> tuple[Closable, ...]:
        held = (each for each in self.positions if each.market_id == signal.market_id and each.book == signal.book)
        return tuple(
            Closable(
                position_id=each.pk,
                direction=Direction(each.direction),
                leverage=each.leverage_x,
                collateral=each.collateral_usdc - self.promised.get(each.pk, Usdc.zero()),
                opened_at=each.opened_at,
            )
            for each in held
        )


@piece
def of(trader: Trader, *, mode: EffectiveMode, at: datetime) -> Portfolio:
    """Everything about an account that its decisions need: five queries, whatever the number of signals."""
    return Portfolio(
        trader=trader,
        at=at,
        mode=mode,
        desk=ModeState.objects.get(pk=1),
        policies=list(Policy.objects.all()),
        prices=selectors.agreed_prices(now=at),
        positions=list(Position.objects.open().filter(trader=trader).order_by("opened_at", "pk")),
        promised=_promised(trader),
    )


def _promised(trader: Trader) -> dict[int, Usdc]:
    promised: dict[int, Usdc] = {}
    closing = Leg.objects.holding_room().filter(trader=trader, action=Action.CLOSE)
    for position_id, collateral in closing.values_list("position_id", "collateral_usdc"):
        if position_id is not None:
            promised[position_id] = promised.get(position_id, Usdc.zero()) + collateral
    return promised


def _wanted(signal: Signal) -> Wanted:
    return Wanted(
        side=Side(signal.side),
        collateral=signal.collateral_usdc,
        leverage=signal.leverage_x,
        reduce=signal.reduce_usdc,
        reduce_share=signal.reduce_pct,
        slippage=signal.slippage_pct,
        take_profit=signal.take_profit,
        stop_loss=signal.stop_loss,
        signaled_at=signal.signaled_at,
    )


def _market_facts(market: Market) -> MarketFacts:
    return MarketFacts(
        symbol=market.symbol,
        is_open=market.is_open and market.is_listed,
        is_close_only=market.is_close_only,
        min_notional=market.min_notional_usdc,
        min_leverage=market.min_leverage_x,
        max_leverage=market.max_leverage_x,
    )
