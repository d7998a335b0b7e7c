"""Positions: the fold of their canonical fills, so that a fill twice, late or taken back leaves the right amounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from trading import doorbell, locks
from trading.domain.mode import Book
from trading.domain.position import Direction, FillFacts, FillKind, Held, Holding, Origin, PositionStatus, fold
from trading.domain.units import Leverage, Price, Usdc
from trading.kinds import piece
from trading.models import Fill, Position
from trading.services import journal, protections, results, wallets


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Which position: the venue uses its indexes again, so the open time belongs to the identity."""

    trader_id: int
    market_id: int
    book: Book
    venue_index: int
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution by the venue, in our units.

    `collateral` is what moved: opened or added (net of the fee), closed, deposited or withdrawn. `after`: what an increase
    or a change of margin leaves. `rollover` and `funding` were taken out of the position, or out of the payout of a close.
    """

    kind: FillKind
    direction: Direction
    price: Price
    collateral: Usdc
    leverage: Leverage
    fee: Usdc
    payout: Usdc
    chain_id: int
    tx_hash: str
    log_index: int
    block_number: int
    block_hash: str
    filled_at: datetime
    rollover: Usdc = field(default_factory=Usdc.zero)
    funding: Usdc = field(default_factory=Usdc.zero)
    after: Held | None = None
    # The levels that the venue holds for what it opened; None: none.
    take_profit: Price | None = None
    stop_loss: Price | None = None

    @property
    def realised_pnl(self) -> Usdc:
        """Payout minus what was closed; of any other what holding has cost so far: nothing is realised by an open."""
        return self.payout - self.collateral if self.kind.closes else -(self.rollover + self.funding)

    @property
    def price_pnl(self) -> Usdc:
        """What the price made of a close; what a floor or a liquidation took is in it."""
        return self.realised_pnl + self.fee + self.rollover + self.funding if self.kind.closes else Usdc.zero()


@piece
def record(execution: Execution, *, position: Position, trace_id: str) -> Fill:
    """Write a fill, or find it, and bring its position up to date. Only a new fill is news.

    The caller holds the account's lock.
    """
    fill, is_new = _kept(execution, position=position)
    if is_new:
        _announce(execution, position=position, trace_id=trace_id)
    return fill


def _forget_what_was_found(position: Position) -> None:
    # The real opening was read after all, and what follows it is read too: counted beside them, it would count twice.
    position.fills.canonical().filter(kind=FillKind.ADOPTED).update(is_canonical=False)


@piece
def keep(execution: Execution, *, position: Position) -> Fill:
    """As `record`, of what happened long ago: it is nobody's news."""
    fill, _ = _kept(execution, position=position)
    return fill


def _kept(execution: Execution, *, position: Position) -> tuple[Fill, bool]:
    (position,) = locks.positions([position.pk])
    was_void = position.status == PositionStatus.VOID
    wallet = wallets.of(position.trader_id, at=execution.filled_at) if position.book == Book.PAPER else None
    fill, is_new = _fill(execution, position=position)
    if is_new and execution.kind is FillKind.OPEN:
        _forget_what_was_found(position)
    rebuild(position, since=[execution.filled_at])
    if is_new and wallet is not None:
        wallets.settle(wallet, fill)
    if execution.kind is FillKind.OPEN and (is_new or was_void):
        protections.attach(position, at=execution.filled_at)
    return fill, is_new


def _announce(execution: Execution, *, position: Position, trace_id: str) -> None:
    is_ours = not position.trader.is_leader
    journal.record(
        "position.filled" if is_ours else "leader.filled",
        position,
        at=execution.filled_at,
        trace_id=trace_id,
        kind=execution.kind,
        price=execution.price,
        collateral_usdc=execution.collateral,
        realised_pnl_usdc=execution.realised_pnl,
        tx_hash=execution.tx_hash,
    )
    if is_ours:
        doorbell.ring("position.filled", key=position.trader_id)


def holding(fills: Iterable[Fill]) -> Holding | None:
    """What some fills of one position, in the chain's order, amount to; None without one that says what there was."""
    return fold([_facts(fill) for fill in fills])


@piece
def rebuild(position: Position, *, since: Iterable[datetime]) -> None:
    """Set a position's amounts to the fold of its canonical fills, and count the days anew in which something changed.

    `since`: when the fills were made that came or went; the caller holds the account's lock.
    """
    touched = [*since, position.closed_at]
    found = holding(position.fills.canonical().order_by("block_number", "log_index"))
    if found is None:
        position.move(PositionStatus.VOID)
        position.collateral_usdc = Usdc.zero()
        position.closed_at = position.opened_at
    else:
        position.move(found.status)
        position.collateral_usdc = found.collateral
        position.leverage_x = found.leverage
        position.entry_price = found.entry_price
        position.realised_pnl_usdc = found.realised_pnl
        position.net_pnl_usdc = found.net_pnl
        position.closed_at = found.closed_at
    position.save(update_fields=_AMOUNTS)
    touched.append(position.closed_at)
    results.recount(position.trader, book=Book(position.book), times={at for at in touched if at is not None})


_AMOUNTS = ["status", "collateral_usdc", "leverage_x", "entry_price", "realised_pnl_usdc", "net_pnl_usdc", "closed_at"]


@piece
def opened(execution: Execution, *, slot: Slot, signal_id: int | None) -> Position:
    """The position that an opening execution belongs to, created if this is the first to say so.

    `signal_id` is what asked for it; None: nothing of ours.
    """
    position, _ = Position.objects.get_or_create(
        trader_id=slot.trader_id,
        market_id=slot.market_id,
        book=slot.book,
        venue_index=slot.venue_index,
        opened_at=slot.opened_at,
        defaults={
            "signal_id": signal_id,
            "origin": Origin.of(signal_id),
            "direction": execution.direction,
            "collateral_usdc": execution.collateral,
            "leverage_x": (execution.after or execution).leverage,
            "entry_price": execution.price,
            "realised_pnl_usdc": Usdc.zero(),
            "take_profit": execution.take_profit,
            "stop_loss": execution.stop_loss,
        },
    )
    if (position.direction, position.signal_id) != (execution.direction, signal_id):
        # Reorganized: on a chain of fixed seconds another order can take the same slot at the same time.
        position.direction, position.signal_id, position.origin = execution.direction, signal_id, Origin.of(signal_id)
        position.take_profit, position.stop_loss = execution.take_profit, execution.stop_loss
        position.save(update_fields=["direction", "signal", "origin", "take_profit", "stop_loss"])
    return position


def _fill(execution: Execution, *, position: Position) -> tuple[Fill, bool]:
    fill, is_new = Fill.objects.get_or_create(
        chain_id=execution.chain_id,
        block_hash=execution.block_hash,
        log_index=execution.log_index,
        defaults={
            "position": position,
            "trader_id": position.trader_id,
            "market_id": position.market_id,
            "book": position.book,
            "kind": execution.kind,
            "price": execution.price,
            "collateral_usdc": execution.collateral,
            "leverage_x": (execution.after or execution).leverage,
            "held_usdc": execution.after.collateral if execution.after else None,
            "entry_price": execution.after.entry if execution.after else None,
            "fee_usdc": execution.fee,
            "rollover_usdc": execution.rollover,
            "funding_usdc": execution.funding,
            "price_pnl_usdc": execution.price_pnl,
            "payout_usdc": execution.payout,
            "realised_pnl_usdc": execution.realised_pnl,
            "tx_hash": execution.tx_hash,
            "block_number": execution.block_number,
            "filled_at": execution.filled_at,
        },
    )
    if not fill.is_canonical:
        # A block that comes back after a reorganization brings its fills back.
        fill.is_canonical = True
        fill.save(update_fields=["is_canonical"])
    return fill, is_new


def _facts(fill: Fill) -> FillFacts:
    return FillFacts(
        kind=FillKind(fill.kind),
        price=fill.price,
        collateral=fill.collateral_usdc,
        leverage=fill.leverage_x,
        realised_pnl=fill.realised_pnl_usdc,
        earned=fill.price_pnl_usdc - fill.fee_usdc - fill.rollover_usdc - fill.funding_usdc,
        filled_at=fill.filled_at,
        after=_held(fill),
    )


def _held(fill: Fill) -> Held | None:
    if fill.held_usdc is None or fill.entry_price is None:
        return None
    return Held(collateral=fill.held_usdc, leverage=fill.leverage_x, entry=fill.entry_price)
