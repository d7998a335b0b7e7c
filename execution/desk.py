"""The outside as the services of `execution` are handed it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from execution.ports import Chain, Signer, Venue
from trading.ports import ModeSwitch

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The chain, the venue, the key and the mode switch that one process works with."""

    chain: Chain
    venue: Venue
    signer: Signer
    switch: ModeSwitch
