"""Sizes: what an entry's levels and size mean in prices and dollars, beside what the account has and holds."""

from dataclasses import dataclass, replace

from risk.domain import sizing, stance
from risk.domain.situation import Closable, Funds, MarketFacts, Wanted
from risk.domain.sizing import Unsized
from trading.domain import levels
from trading.domain.position import Direction
from trading.domain.price import AgreedPrice
from trading.domain.signal import Side, Size, SizeKind
from trading.models import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an entry's levels and size are measured from."""

    market: MarketFacts
    price: AgreedPrice | None
    money: Funds | None
    held: tuple[Closable, ...]


def measured(wanted: Wanted, *, signal: Signal, ground: Ground) -> Wanted:
    """What is wanted with its levels as prices and its size as collateral."""
    if wanted.side not in (Side.LONG, Side.SHORT):
        return wanted
    return _sized(_guarded(wanted, price=ground.price), signal=signal, ground=ground)


def _guarded(wanted: Wanted, *, price: AgreedPrice | None) -> Wanted:
    if wanted.protection is None or price is None:
        return wanted
    guard, direction = wanted.protection, Direction.of(wanted.side)
    found = levels.of(guard, entry=price.price, direction=direction)
    targets = tuple(target for target in found.targets if target is not None)
    # The venue closes all of a position at its one target: it holds the furthest, where ours leave nothing.
    furthest = max(targets, key=lambda target: abs(target - price.price)) if targets and guard.closes_all else None
    return replace(wanted, stop_loss=found.stop, take_profit=furthest, levels=targets)


def _sized(wanted: Wanted, *, signal: Signal, ground: Ground) -> Wanted:
    money, price = ground.money, ground.price
    if not signal.size_kind or signal.size_pct is None or money is None or wanted.leverage is None:
        return wanted
    opposite = tuple(each for each in ground.held if wanted.stance and each.direction is not Direction.of(wanted.side))
    basis = sizing.Ground(
        free=money.free + stance.freed(opposite),
        equity=money.equity,
        leverage=wanted.leverage,
        price=price.price if price else None,
        stop_loss=wanted.stop_loss,
        cost=ground.market.cost,
    )
    found = sizing.collateral(Size(kind=SizeKind(signal.size_kind), share=signal.size_pct), basis)
    if isinstance(found, Unsized):
        return replace(wanted, unsized=found)
    return replace(wanted, collateral=min(found, signal.at_most_usdc or found))
