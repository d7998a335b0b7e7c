"""What `risk` asks of the outside, in our words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trading.domain.units import Usdc, Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReading:
    """An account's money and permissions as of one block.

    `delegated_until` is the latest instant until which a sender of ours may trade for it, None if none may;
    `gas` what the richest of those senders has.
    """

    balance: Usdc
    allowance: Usdc
    delegated_until: datetime | None
    gas: Wei
    block_number: int

    def covers(self, need: "Need") -> bool:
        """Whether nothing in it would refuse what is needed."""
        is_delegated = self.delegated_until is not None and self.delegated_until >= need.until
        return is_delegated and min(self.balance, self.allowance) >= need.collateral and self.gas >= need.gas


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What waiting entries ask of an account: together so much collateral, gas, and a delegation until then."""

    collateral: Usdc
    gas: Wei
    until: datetime


class Accounts(Protocol):
    """The venue's and the chain's word on our traders' accounts."""

    def look(self, address: str, *, need: Need) -> AccountReading:
        """What the newest block says of an address. What would refuse is not one node's word where there are several.

        Raises:
            Unavailable: if no endpoint answers.
        """
        ...
