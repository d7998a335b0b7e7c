"""The outside as the services of `execution` are handed it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from execution.ports import Chain, Signer, Venue
from trading.domain.errors import Unavailable
from trading.ports import ModeSwitch

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The chain, the venue, the keys and the mode switch that one process works with."""

    chain: Chain
    venue: Venue
    signer: Signer
    switch: ModeSwitch
    # The holders of further keys, each for a sender of its own.
    others: tuple[Signer, ...] = ()

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Every holder of a key, the first first."""
        return (self.signer, *self.others)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The accounts of the keys whose holders can say it now."""
        return tuple(address for signer in self.signers if (address := _address(signer)))

    def signer_of(self, address: str) -> Signer | None:
        """The holder of a sender's key; another key would sign its nonces for another account.

        None if no key at hand is that one. A holder that can't say its address now is passed over.
        """
        return next((signer for signer in self.signers if _address(signer) == address), None)


def _address(signer: Signer) -> str:
    try:
        return signer.address
    except Unavailable:
        return ""
