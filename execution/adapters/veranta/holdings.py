"""What the venue's storage holds of traders at one block, read through its views in as few exchanges as can be.

First how many positions and limits each trader has in each market, and which market orders wait; then those alone. The
venue gives each the lowest free place, so places are asked in pages until all that were counted are found.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

# A trader's market.
Slot = tuple[str, int]


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
        """Everything of the traders."""
        slots = [(trader, pair) for trader in traders for pair in pairs]
        wallets = self._wallets(traders)
        trades, limits = (
            self._counts(signature, slots) for signature in (calldata.OPEN_TRADES_COUNT, calldata.OPEN_LIMITS_COUNT)
        )
        waiting = self._numbers(traders)
        positions = self._places(calldata.OPEN_TRADES, trades)
        resting = self._places(calldata.OPEN_LIMIT_ORDERS, limits)
        orders = self._orders([number for numbers in waiting.values() for number in numbers])
        return [
            VenueAccount(
                trader=trader,
                balance=wallets[trader][0],
                allowance=wallets[trader][1],
                positions=tuple(_position(pair, words) for (whose, pair), words in positions if whose == trader),
                orders=(
                    *(_order(number, orders[number]) for number in waiting[trader]),
                    *(_limit(pair, words) for (whose, pair), words in resting if whose == trader),
                ),
            )
            for trader in traders
        ]

    def _wallets(self, traders: Sequence[str]) -> dict[str, tuple[Usdc, Usdc]]:
        balances = self._ask(self._usdc(calldata.call(calldata.BALANCE_OF, trader)) for trader in traders)
        allowances = self._ask(self._usdc(calldata.call(calldata.ALLOWANCE, trader, self.at.storage)) for trader in traders)
        pairs = zip(traders, balances, allowances, strict=True)
        return {trader: (Usdc(balance[0]), Usdc(allowance[0])) for trader, balance, allowance in pairs}

    def _counts(self, signature: str, slots: Sequence[Slot]) -> dict[Slot, int]:
        told = self._ask(self._storage(calldata.call(signature, *slot)) for slot in slots)
        return {slot: words[0] for slot, words in zip(slots, told, strict=True) if words[0]}

    def _numbers(self, traders: Sequence[str]) -> dict[str, list[int]]:
        told = self._ask(self._storage(calldata.call(calldata.PENDING_ORDER_IDS, trader)) for trader in traders)
        # An array: where it begins, how long it is, and its words.
        return {trader: words[2 : 2 + words[1]] for trader, words in zip(traders, told, strict=True)}

    def _orders(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        told = self._ask(self._storage(calldata.call(calldata.PENDING_ORDER, number)) for number in numbers)
        return dict(zip(numbers, told, strict=True))

    def _places(self, signature: str, counts: dict[Slot, int]) -> list[tuple[Slot, list[int]]]:
        found: list[tuple[Slot, list[int]]] = []
        wanted = dict(counts)
        for first in range(0, _PLACES, _PAGE):
            asked = [(slot, index) for slot in wanted for index in range(first, first + _PAGE)]
            told = self._ask(self._storage(calldata.call(signature, *slot, index)) for slot, index in asked)
            taken = [(slot, words) for (slot, _), words in zip(asked, told, strict=True) if words[_LEVERAGE]]
            found += taken
            for slot, _ in taken:
                wanted[slot] -= 1
            wanted = {slot: left for slot, left in wanted.items() if left > 0}
            if not wanted:
                return found
        raise Unavailable("the venue counts more than it shows", error="places")

    def _ask(self, views: Iterable[View]) -> list[list[int]]:
        asked = list(views)
        told: list[str] = []
        for start in range(0, len(asked), BATCH):
            told += self.chain.answers_at(asked[start : start + BATCH], block_hash=self.block_hash)
        return [words(answer) for answer in told]

    def _storage(self, data: str) -> View:
        return View(target=self.at.storage, data=data)

    def _usdc(self, data: str) -> View:
        return View(target=self.at.usdc, data=data)


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
