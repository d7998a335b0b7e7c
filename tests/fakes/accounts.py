"""The chain's word on accounts, in memory: settable, and able to fall silent."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from risk.ports import AccountReading, Need
from trading.domain.errors import Unavailable
from trading.domain.units import Usdc, Wei
from trading.kinds import ask

RICH = AccountReading(
    balance=Usdc.of(1_000_000_000),
    allowance=Usdc.of(1_000_000_000),
    delegated_until=datetime(9999, 12, 31, tzinfo=UTC),
    gas=Wei(10**18),
    block_number=1,
)


class Accounts:
    """Says that everybody is rich and has let us trade, unless told otherwise."""

    def __init__(self, **changes: Any) -> None:
        self.reading = replace(RICH, **changes)
        self.is_down = False
        self.asked: list[str] = []

    @ask
    def look(self, address: str, *, need: Need) -> AccountReading:
        """The same for everybody."""
        self.asked.append(address)
        if self.is_down:
            raise Unavailable("no endpoint answers")
        return self.reading
