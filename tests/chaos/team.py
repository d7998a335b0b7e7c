"""Who works on a stand, and what was told to them."""

import json
from dataclasses import dataclass, field
from decimal import Decimal

from tests.chaos.crew import Lanes
from tests.fakes import venue
from tests.fakes.signer import OpenSigner
from trading.domain.units import Usdc

# Each signal's collateral is its key: ten dollars and some millionths.
_LEAST_COLLATERAL = Decimal(10)
_MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One signal that came to the door: its body, its key in our books and on the chain."""

    body: bytes
    signal_id: str
    chain_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Some senders, an account for each, and every signal that was told to them. Nobody else works for these accounts."""

    senders: tuple[int, ...]
    traders: tuple[int, ...]
    users: tuple[int, ...]
    signers: tuple[OpenSigner, ...]
    told: list[Told] = field(default_factory=list)

    @property
    def lanes(self) -> Lanes:
        """What a worker of theirs works."""
        return Lanes(senders=self.senders, traders=self.traders)

    @property
    def addresses(self) -> frozenset[str]:
        """The senders' accounts."""
        return frozenset(signer.address for signer in self.signers)


def draft(number: int, *, user: int) -> Told:
    """A signal of a user, with a key of its own."""
    collateral = Usdc.of(str(_LEAST_COLLATERAL + number * _MILLIONTH))
    body = {
        "source": "chaos",
        "signal_id": f"c{number}",
        "tg_user_id": user,
        "symbol": "BTC-USD",
        "side": "LONG",
        "collateral_usdc": str(collateral),
        "leverage_x": "2",
    }
    return Told(body=json.dumps(body).encode(), signal_id=f"c{number}", chain_key=venue.open_key(collateral))
