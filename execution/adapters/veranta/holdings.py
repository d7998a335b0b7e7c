"""What the venue's storage holds of traders at one block, read through its views in as few exchanges as can be.

First how many positions and limits each trader has in each market, and which market orders wait; then those alone. The
venue gives each the lowest free place, so places are asked in pages until all that were counted are found.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from execution.adapters.veranta import calldata
from execution.domain.chain import View
from execution.domain.reconciliation import OrderFacts, Place, PositionFacts, VenueAccount, limit_name, order_name
from execution.ports import Chain
from trading.domain.errors import Unavailable
from trading.domain.position import Direction
from trading.domain.units import Leverage, Price, Usdc

# Questions in one exchange.
BATCH = 400
# Places asked at once of a trader's market, and how many there are (maxTradesPerPair).
_PAGE, _PLACES = 5, 40
# The venue's kinds of pending orders; a close puts nothing up.
_CLOSE = 1

# A trader's market, and how many of something lie there.
Slot = tuple[str, int]
Counts = dict[Slot, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """Where to ask."""

    storage: str
    usdc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One block, asked through one chain."""

    at: Contracts
    block_hash: str
    chain: Chain

    def read(self, traders: Sequence[str], *, pairs: Sequence[int]) -> list[VenueAccount]:
        """Everything of the traders: one exchange where nothing is held, two where something is."""
        slots = [(trader, pair) for trader in traders for pair in pairs]
        balances, allowances, numbers, trades, limits = self._ask(
            [self._usdc(calldata.call(calldata.BALANCE_OF, trader)) for trader in traders],
            [self._usdc(calldata.call(calldata.ALLOWANCE, trader, self.at.storage)) for trader in traders],
            [self._storage(calldata.call(calldata.PENDING_ORDER_IDS, trader)) for trader in traders],
            [self._storage(calldata.call(calldata.OPEN_TRADES_COUNT, *slot)) for slot in slots],
            [self._storage(calldata.call(calldata.OPEN_LIMITS_COUNT, *slot)) for slot in slots],
        )
        # An array: where it begins, how long it is, and its words.
        waiting = {trader: said[2 : 2 + said[1]] for trader, said in zip(traders, numbers, strict=True)}
        found = self._held(_counted(slots, trades), _counted(slots, limits), waiting)
        return [
            VenueAccount(
                trader=trader,
                balance=Usdc(balance[0]),
                allowance=Usdc(allowance[0]),
                positions=tuple(_position(pair, said) for (whose, pair), said in found.positions if whose == trader),
                orders=(
                    *(_order(number, found.orders[number]) for number in waiting[trader]),
                    *(_limit(pair, said) for (whose, pair), said in found.limits if whose == trader),
                ),
            )
            for trader, balance, allowance in zip(traders, balances, allowances, strict=True)
        ]

    def _held(self, trades: Counts, limits: Counts, waiting: Mapping[str, Sequence[int]]) -> "_Found":
        """What was counted, each by itself: a page of places at a time, and with the first page the orders."""
        found = _Found()
        numbers = [number for each in waiting.values() for number in each]
        for first in range(0, _PLACES, _PAGE):
            if not (trades or limits or numbers):
                return found
            places = [_page(each, first=first) for each in (trades, limits)]
            positions, resting, orders = self._ask(
                [self._storage(calldata.call(calldata.OPEN_TRADES, *slot, index)) for slot, index in places[0]],
                [self._storage(calldata.call(calldata.OPEN_LIMIT_ORDERS, *slot, index)) for slot, index in places[1]],
                [self._storage(calldata.call(calldata.PENDING_ORDER, number)) for number in numbers],
            )
            found.orders |= dict(zip(numbers, orders, strict=True))
            trades = _take(trades, places[0], positions, into=found.positions)
            limits = _take(limits, places[1], resting, into=found.limits)
            numbers = []
        if trades or limits:
            raise Unavailable("the venue counts more than it shows", error="places")
        return found

    def _ask(self, *groups: Sequence[View]) -> list[list[list[int]]]:
        """The words that each question of each group is answered with, in as few exchanges as can be."""
        asked = [view for group in groups for view in group]
        told: list[str] = []
        for start in range(0, len(asked), BATCH):
            told += self.chain.answers_at(asked[start : start + BATCH], block_hash=self.block_hash)
        answers = iter(told)
        return [[words(next(answers)) for _ in group] for group in groups]

    def _storage(self, data: str) -> View:
        return View(target=self.at.storage, data=data)

    def _usdc(self, data: str) -> View:
        return View(target=self.at.usdc, data=data)


@dataclass(slots=True)
class _Found:
    """What was found so far: each position and limit with its slot, each order with its number."""

    positions: list[tuple[Slot, list[int]]] = field(default_factory=list)
    limits: list[tuple[Slot, list[int]]] = field(default_factory=list)
    orders: dict[int, list[int]] = field(default_factory=dict)


def _counted(slots: Sequence[Slot], told: Sequence[list[int]]) -> Counts:
    return {slot: said[0] for slot, said in zip(slots, told, strict=True) if said[0]}


def _page(counts: Counts, *, first: int) -> list[tuple[Slot, int]]:
    return [(slot, index) for slot in counts for index in range(first, first + _PAGE)]


def _take(
    counts: Counts, places: Sequence[tuple[Slot, int]], told: Sequence[list[int]], *, into: list[tuple[Slot, list[int]]]
) -> Counts:
    """Keep what lies in some places; what is still to be found."""
    taken = [(slot, said) for (slot, _), said in zip(places, told, strict=True) if said[_LEVERAGE]]
    into += taken
    left = Counter(counts) - Counter(slot for slot, _ in taken)
    return dict(left)


# The places of the words in the venue's struct `Trade`, with which its structs of limits begin too.
_INDEX, _COLLATERAL, _SINCE, _ENTRY, _BUY, _LEVERAGE, _TARGET, _STOP = 2, 3, 4, 5, 6, 7, 8, 9
# Of a pending order.
_KIND, _PUT_UP = 0, 2


def words(answer: str) -> list[int]:
    """A view's answer in words of 256 bits.

    Raises:
        Unavailable: if it has none: there is no such contract.
    """
    raw = bytes.fromhex(answer.removeprefix("0x"))
    if not raw:
        raise Unavailable("a view of the venue answers nothing", error="empty")
    return [int.from_bytes(raw[at : at + 32]) for at in range(0, len(raw), 32)]


def _position(pair: int, said: list[int]) -> PositionFacts:
    # Once stored, the field of the size holds the time of the opening; the timestamp moves with each change.
    opened_at = datetime.fromtimestamp(said[_SINCE], tz=UTC)
    return PositionFacts(
        place=Place(pair_index=pair, venue_index=said[_INDEX], opened_at=opened_at),
        direction=Direction.LONG if said[_BUY] else Direction.SHORT,
        collateral=Usdc(said[_COLLATERAL]),
        leverage=Leverage(said[_LEVERAGE]),
        entry=Price(said[_ENTRY]),
        take_profit=Price(said[_TARGET]) if said[_TARGET] else None,
        stop_loss=Price(said[_STOP]) if said[_STOP] else None,
    )


def _order(number: int, said: list[int]) -> OrderFacts:
    escrow = Usdc.zero() if said[_KIND] == _CLOSE else Usdc(said[_PUT_UP])
    return OrderFacts(name=order_name(number), escrow=escrow)


def _limit(pair: int, said: list[int]) -> OrderFacts:
    return OrderFacts(name=limit_name(pair, said[_INDEX]), escrow=Usdc(said[_SINCE]))
