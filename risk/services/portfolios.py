"""What an account holds and has promised, read once for a batch of its signals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db.models import Max

from risk.domain.decision import Action, LegPlan
from risk.domain.halt import Halts
from risk.domain.policy import EffectivePolicy, PolicyRow, in_effect
from risk.domain.situation import Closable, Exposed, Funds, Pace, Situation
from risk.models import Leg, Policy
from risk.services import exposures, facts, funds, halts, paces, sizes
from risk.services.accounts import Sight
from risk.services.sizes import Ground
from trading import selectors
from trading.domain.mode import Book, EffectiveMode
from trading.domain.position import Direction
from trading.domain.price import PriceTrouble, PriceView
from trading.domain.signal import Side, SignalStatus
from trading.domain.units import Usdc, Wei, notional
from trading.kinds import piece
from trading.models import ModeState, Position, Signal, Trader

# A market and a side of it, in one book.
Lane = tuple[int, Book, Direction]


@dataclass(slots=True, kw_only=True)
class Portfolio:
    """An account under its lock. What is promised grows as the batch is decided: two signals can't pass one limit."""

    trader: Trader
    at: datetime
    mode: EffectiveMode
    desk: ModeState
    policies: list[PolicyRow]
    prices: dict[str, PriceView]
    halts: dict[Book, Halts]
    positions: list[Position]
    closing: dict[int, Usdc]
    exposed: dict[Book, list[Exposed]]
    paces: dict[Book, Pace]
    funds: dict[Book, Funds]
    applied_up_to: dict[int, datetime]
    opening: set[Lane]

    def standing(self, signal: Signal) -> frozenset[Direction]:
        """The sides on which the account stands in a signal's market: open and not being closed, or on its way to be."""
        held = {each.direction for each in self._held(signal) if each.collateral}
        return frozenset(held | self.on_its_way(signal))

    def on_its_way(self, signal: Signal) -> set[Direction]:
        """The sides on which something is being opened in a signal's market."""
        return {direction for market_id, book, direction in self.opening if (market_id, book) == (signal.market_id, signal.book)}

    def has_closable(self, signal: Signal, *, of: str) -> bool:
        """Whether something is open in a signal's market, and not being closed; `of` one side, or empty for both."""
        return any(held.collateral for held in self._held(signal) if of in {"", held.direction})

    def situation(self, signal: Signal, *, side: Side) -> Situation:
        """All that the rules may look at for one signal. `side`: what its own means beside what is held."""
        book, market = Book(signal.book), facts.market(signal.market)
        view, money, state = self.prices.get(market.symbol), self.funds.get(book), self.halts[book]
        price, held = view.agreed if view else None, self._held(signal)
        return Situation(
            at=self.at,
            wanted=sizes.measured(
                facts.wanted(signal, side=side), signal=signal, ground=Ground(market=market, price=price, money=money, held=held)
            ),
            book=book,
            account=self.trader.account,
            source=facts.source(signal.source),
            mode=self.mode,
            takes_entries=self.desk.signals_enabled,
            in_maintenance=self.desk.maintenance,
            market=market,
            policy=self._policy(signal),
            price=price,
            price_trouble=view.trouble if view else PriceTrouble.PRICE_STALE,
            state=state.state(symbol=market.symbol, source=_sender(signal)),
            locks=state.locks(symbol=market.symbol),
            closable=held,
            standing=self.standing(signal),
            applied_up_to=self.applied_up_to.get(signal.market_id),
            funds=money,
            gas_floor=Wei(settings.GAS_FLOOR_WEI),
            exposed=tuple(self.exposed[book]),
            pace=self.paces[book],
            canary=facts.canary(),
        )

    def promise(self, plan: LegPlan, *, signal: Signal) -> None:
        """Count a leg as filled from now on."""
        book = Book(signal.book)
        self.paces[book] = _faster(self.paces[book], plan)
        if plan.position_id is not None:
            self.closing[plan.position_id] = self.closing.get(plan.position_id, Usdc.zero()) + plan.collateral
            return
        self.exposed[book].append(_exposed(plan, signal=signal))
        self.opening.add((signal.market_id, book, plan.direction))
        self.funds[book] = _poorer(self.funds[book], plan.collateral)

    def apply(self, signal: Signal) -> None:
        """Remember when an approved signal was meant."""
        if signal.signaled_at is not None:
            newest = self.applied_up_to.get(signal.market_id, signal.signaled_at)
            self.applied_up_to[signal.market_id] = max(newest, signal.signaled_at)

    def _policy(self, signal: Signal) -> EffectivePolicy:
        return in_effect(
            self.policies,
            source=facts.source_limits(signal.source),
            ceiling=facts.ceiling(),
            tg_user_id=self.trader.account,
            symbol=signal.market.symbol,
        )

    def _held(self, signal: Signal) -> tuple[Closable, ...]:
        return tuple(self._closable(each) for each in self.positions if _is_meant(each, signal))

    def _closable(self, position: Position) -> Closable:
        left = position.collateral_usdc - self.closing.get(position.pk, Usdc.zero())
        return Closable(
            position_id=position.pk,
            direction=Direction(position.direction),
            leverage=position.leverage_x,
            collateral=left,
            opened_at=_asked_at(position),
            worth=funds.surely(position, left, view=self.prices.get(position.market.symbol)),
            source=position.signal.source.name if position.signal else "",
        )


@piece
def of(trader: Trader, *, signals: Sequence[Signal], mode: EffectiveMode, sight: Sight, at: datetime) -> Portfolio:
    """Everything about an account that its decisions need: a dozen queries, whatever the number of signals."""
    policies = list(Policy.objects.all())
    is_wide = exposures.lock(signals, policies=policies)
    prices = selectors.price_views(now=at)
    positions = list(
        Position.objects.open().filter(trader=trader).select_related("market", "signal__source").order_by("opened_at", "pk")
    )
    return Portfolio(
        trader=trader,
        at=at,
        mode=mode,
        desk=ModeState.objects.get(pk=1),
        policies=[policy.as_row() for policy in policies],
        prices=prices,
        halts={book: halts.of(trader, book=book, at=at) for book in {Book(signal.book) for signal in signals}},
        positions=positions,
        closing=_closing(trader),
        exposed=exposures.of(trader, is_wide=is_wide),
        paces=paces.of(trader, at=at),
        funds=_funds(trader, signals=signals, positions=positions, prices=prices, sight=sight, at=at),
        applied_up_to=_applied_up_to(trader, signals=signals),
        opening=_opening(trader, signals=signals),
    )


def _sender(signal: Signal) -> str:
    """By what name a trading state knows who sent it: the row's, or the whole name of a source of our own (`copy:0x…`)."""
    return signal.source_name if signal.source.is_internal else signal.source.name


def _is_meant(position: Position, signal: Signal) -> bool:
    """Whether a signal is about a position: an exit about the one that it names, or any that wasn't asked for after it."""
    if signal.position_id is not None:
        return signal.position_id == position.pk
    is_later = signal.side == Side.CLOSE and position.signal_id is not None and position.signal_id > signal.pk
    return not is_later and (position.market_id, position.book) == (signal.market_id, signal.book)


def _asked_at(position: Position) -> datetime:
    """When a position was asked for, by its sender's clock if that said so: an exit meant later is about it too."""
    if position.signal is None:
        return position.opened_at
    # To the second: that is as exact as TradingView's clock is.
    asked_at = (position.signal.signaled_at or position.signal.received_at).replace(microsecond=0)
    return min(position.opened_at, asked_at)


def _closing(trader: Trader) -> dict[int, Usdc]:
    closing: dict[int, Usdc] = {}
    promised = Leg.objects.holding_room().filter(trader=trader, action=Action.CLOSE)
    for position_id, collateral in promised.values_list("position_id", "collateral_usdc"):
        if position_id is not None:
            closing[position_id] = closing.get(position_id, Usdc.zero()) + collateral
    return closing


def _opening(trader: Trader, *, signals: Sequence[Signal]) -> set[Lane]:
    """What is on its way to be open, if one of the signals is about what is held."""
    if not any(signal.stance or signal.side not in (Side.LONG, Side.SHORT) for signal in signals):
        return set()
    promised = Leg.objects.holding_room().filter(trader=trader, action=Action.OPEN)
    rows = promised.order_by().values_list("market_id", "book", "direction").distinct()
    return {(market_id, Book(book), Direction(direction)) for market_id, book, direction in rows}


@piece
def _funds(
    trader: Trader,
    *,
    signals: Sequence[Signal],
    positions: list[Position],
    prices: dict[str, PriceView],
    sight: Sight,
    at: datetime,
) -> dict[Book, Funds]:
    """The money of the books in which something is to be opened."""
    books = {Book(signal.book) for signal in signals if signal.is_entry}
    found: dict[Book, Funds] = {}
    for book in books:
        held = funds.worth((each for each in positions if each.book == book), prices=prices)
        if book is Book.PAPER:
            found[book] = funds.paper(trader=trader, held=held, at=at)
        elif sight.reading is not None:
            found[book] = funds.live(sight.reading, trader=trader, held=held)
    return found


def _applied_up_to(trader: Trader, *, signals: Sequence[Signal]) -> dict[int, datetime]:
    asked = {signal.market_id for signal in signals if signal.is_entry and signal.signaled_at is not None}
    if not asked:
        return {}
    applied = Signal.objects.filter(trader=trader, market__in=asked, status=SignalStatus.APPROVED, signaled_at__isnull=False)
    return dict(applied.order_by().values_list("market_id").annotate(newest=Max("signaled_at")))


def _faster(pace: Pace, plan: LegPlan) -> Pace:
    size = notional(plan.collateral, plan.leverage)
    faster = replace(pace, trades_in_day=pace.trades_in_day + 1, volume_in_day=pace.volume_in_day + size)
    if plan.action is Action.CLOSE:
        return faster
    collateral = pace.collateral_in_hour + plan.collateral
    return replace(faster, opens_in_minute=pace.opens_in_minute + 1, collateral_in_hour=collateral)


def _poorer(money: Funds, collateral: Usdc) -> Funds:
    allowance = None if money.allowance is None else money.allowance - collateral
    return replace(money, free=money.free - collateral, allowance=allowance)


def _exposed(plan: LegPlan, *, signal: Signal) -> Exposed:
    return Exposed(
        is_own=True,
        symbol=signal.market.symbol,
        group=signal.market.group_name,
        direction=plan.direction,
        source=signal.source.name,
        notional=notional(plan.collateral, plan.leverage),
    )
