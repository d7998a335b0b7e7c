"""What `trading` asks of the outside, in our words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from trading.domain.mode import Mode, SwitchReading
from trading.domain.price import Quote


class PriceSource(Protocol):
    """Somebody who publishes prices."""

    name: str

    def quotes(self, symbols: Iterable[str]) -> list[Quote]:
        """The newest quote of each symbol that the source knows.

        Never raises for a symbol it doesn't know; leaves it out.

        Raises:
            Unavailable: if the source doesn't answer in time or makes no sense.
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
