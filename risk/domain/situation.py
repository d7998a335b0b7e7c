"""The situation: all that the rules may look at, gathered before they speak."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from risk.domain.halt import StateHeld
from risk.domain.lock import ActiveLock
from risk.domain.policy import EffectivePolicy
from risk.domain.sizing import Unsized
from trading.domain.mode import Book, EffectiveMode
from trading.domain.position import Direction
from trading.domain.price import AgreedPrice, PriceTrouble
from trading.domain.protection import Protection
from trading.domain.signal import ENTRIES, Side, Stance
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei, notional


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFacts:
    """The market as the catalogue describes it. `group` is the venue's name for markets that move together."""

    symbol: str
    group: str
    is_open: bool
    is_close_only: bool
    min_notional: Usdc
    min_leverage: Leverage
    max_leverage: Leverage
    # What an open and a close cost together, of the notional: fees and spread.
    cost: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """Who sent the signal, and what he may send. Empty: every trader, every symbol."""

    name: str
    is_enabled: bool = True
    symbols: frozenset[str] = frozenset()
    accounts: frozenset[int] = frozenset()
    # How old an entry may be by its own time; None: as everybody's.
    max_lag: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closable:
    """An open position and what of it nobody is closing yet.

    `worth`: what closing that would surely bring, its collateral at most. `source`: whose signal opened it.
    """

    position_id: int
    direction: Direction
    leverage: Leverage
    collateral: Usdc
    opened_at: datetime
    worth: Usdc = field(default_factory=Usdc.zero)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the signal asks. `unsized` says why an entry has no collateral."""

    side: Side
    collateral: Usdc | None
    leverage: Leverage | None
    reduce: Usdc | None
    reduce_share: Percent | None
    slippage: Percent
    price: Price | None
    take_profit: Price | None
    stop_loss: Price | None
    signaled_at: datetime | None
    unsized: Unsized | None = None
    stance: Stance = Stance.ANOTHER
    # Only the positions of one side; None: all.
    closes: Direction | None = None
    # When a person said yes to it; None: nobody had to.
    granted_at: datetime | None = None
    # How far its price may lie from ours; None: as far as the policies let it.
    max_deviation: Percent | None = None
    # Where it stops and gains, if that takes more than the two prices.
    protection: Protection | None = None
    # Every target's price; `take_profit` is the one that the venue is to hold, which closes all.
    levels: tuple[Price, ...] = ()

    @property
    def targets(self) -> tuple[Price, ...]:
        """Every price at which some of it is to be closed with a gain."""
        return self.levels or (() if self.take_profit is None else (self.take_profit,))

    @property
    def notional(self) -> Usdc:
        """Collateral times leverage; zero for an exit."""
        return notional(self.collateral, self.leverage) if self.collateral and self.leverage else Usdc.zero()


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """An account's money in one book. What is promised to opens that the wallet hasn't paid yet is taken off `free`.

    The last three are None on paper, which needs no permission.
    """

    free: Usdc
    equity: Usdc
    allowance: Usdc | None = None
    # None beside an allowance: nobody of ours may trade for it.
    delegated_until: datetime | None = None
    gas: Wei | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """Open and promised notional that shares all of these."""

    is_own: bool
    symbol: str
    group: str
    direction: Direction
    source: str
    notional: Usdc
    positions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What an account did lately, in sliding windows: what was done exactly a window ago has left it.

    Each `…_free_at` is when the oldest in its window leaves it; None if nothing is in it.
    """

    opens_in_minute: int = 0
    opens_free_at: datetime | None = None
    trades_in_day: int = 0
    trades_free_at: datetime | None = None
    collateral_in_hour: Usdc = field(default_factory=Usdc.zero)
    collateral_free_at: datetime | None = None
    volume_in_day: Usdc = field(default_factory=Usdc.zero)
    volume_free_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The canary's caps, on top of every policy. No accounts: all of them."""

    max_notional: Usdc
    symbols: frozenset[str]
    accounts: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One signal of one account, at one instant, before it is decided."""

    at: datetime
    wanted: Wanted
    book: Book
    account: int
    source: SourceFacts
    mode: EffectiveMode
    takes_entries: bool
    in_maintenance: bool
    market: MarketFacts
    policy: EffectivePolicy
    price: AgreedPrice | None
    # Why there is no agreed price; None exactly while there is one.
    price_trouble: PriceTrouble | None
    # The strictest trading state that speaks about the signal, and every lock of the account in its market.
    state: StateHeld
    locks: tuple[ActiveLock, ...]
    closable: tuple[Closable, ...]
    # The sides on which something is open, and not being closed, or is on its way to be.
    standing: frozenset[Direction]
    # The newest instant that an applied signal of this account and market was meant at; None if none said.
    applied_up_to: datetime | None
    # None: unknown, and nobody asks, since this is an exit.
    funds: Funds | None
    gas_floor: Wei
    exposed: tuple[Exposed, ...]
    pace: Pace
    canary: Canary | None

    @property
    def is_entry(self) -> bool:
        """Whether the signal asks for more exposure."""
        return self.wanted.side in ENTRIES

    @property
    def direction(self) -> Direction:
        """Which way an entry gains."""
        return Direction.of(self.wanted.side)
