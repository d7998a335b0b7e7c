"""How many entries a source may send a minute: counted over the last minute, not over the clock's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What was counted at an instant: entries of the last minute, and when the oldest came; None: there were none."""

    entries: int
    oldest_at: datetime | None
    counted_at: datetime

    def retry_after(self, *, now: datetime) -> int:
        """Whole seconds until one more may come, when no more may: until the oldest is a minute old."""
        oldest = self.oldest_at or now
        left = (oldest + WINDOW - now).total_seconds()
        return max(1, -int(-left // 1))
