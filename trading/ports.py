"""What `trading` asks of the outside, in our words."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from trading.domain.guarding import Fate
from trading.domain.mode import Mode, SwitchReading
from trading.domain.price import Quote
from trading.domain.units import Usdc


class PriceSource(Protocol):
    """Somebody who publishes prices."""

    name: str
    # What its word counts beside the others'; 0: a cross-check that is shown and never counts.
    weight: Decimal
    # The pause between two questions; 0: it may be asked in each round.
    rhythm: timedelta

    def covers(self, symbol: str, /) -> bool:
        """Whether it is set up to price a market. Talks to nobody."""
        ...

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The newest quote of each market that the source knows; `markets` gives the venue's number for each symbol.

        Never raises for a symbol it doesn't know, or can't make sense of; leaves it out.

        Raises:
            Unavailable: if the source doesn't answer in time or makes no sense at all.
        """
        ...


class SequencerFeed(Protocol):
    """Who tells whether the layer-two sequencer is up."""

    name: str
    rhythm: timedelta

    def up_since(self) -> datetime | None:
        """Since when it is up; None while it is down.

        Raises:
            Unavailable: if the feed doesn't answer in time or makes no sense.
        """
        ...


class ModeSwitch(Protocol):
    """The runtime switch of the execution mode."""

    def read(self, *, doubted_until: datetime | None = None) -> SwitchReading:
        """One look, within 0.2 s. Never raises: trouble is an unhealthy reading, and that is DRY.

        `doubted_until`: until when some process had trouble with it; another instant than the one
        before ends the streak.
        """
        ...

    def replace(self, seen: SwitchReading, *, mode: Mode, stop: bool) -> bool:
        """Set the switch in place of the value that was seen. False if it has another one by now: nothing changed.

        Raises:
            Unavailable: if it can't be reached; what it says then is unknown.
        """
        ...


class Exits(Protocol):
    """What became of closes further along the path. Reads rows of ours and asks nobody outside."""

    def fates(self, signal_ids: Collection[int]) -> dict[int, Fate]:
        """What became of each close; UNFILLED only where it is proven that nothing of it was filled or will be."""
        ...

    def closing(self, position_ids: Collection[int]) -> dict[int, Usdc]:
        """How much of each position is being closed, by whomever; a position of which nothing is, isn't named."""
        ...
