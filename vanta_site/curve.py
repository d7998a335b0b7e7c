"""A curve as a picture in the page itself: no script, no library, nothing fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from trading.domain.units import Usdc

WIDTH, HEIGHT = 900, 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """An SVG path over WIDTH × HEIGHT, the height of zero in it, and the ends that are written beside it."""

    path: str
    zero: float
    lowest: Usdc
    highest: Usdc
    first: datetime
    last: datetime
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, points: Sequence[tuple[datetime, Usdc]]) -> Self | None:
        """The curve through points in time; None for fewer than two."""
        if len(points) < 2:
            return None
        amounts = [amount.raw for _, amount in points]
        low, high = min(0, *amounts), max(0, *amounts)
        begins, seconds = points[0][0], (points[-1][0] - points[0][0]).total_seconds() or 1

        def height(raw: int) -> float:
            return round(HEIGHT - HEIGHT * (raw - low) / ((high - low) or 1), 1)

        steps = [(round(WIDTH * (at - begins).total_seconds() / seconds, 1), height(amount.raw)) for at, amount in points]
        return cls(
            path="M" + " L".join(f"{x},{y}" for x, y in steps),
            zero=height(0),
            lowest=Usdc.from_raw(min(amounts)),
            highest=Usdc.from_raw(max(amounts)),
            first=begins,
            last=points[-1][0],
        )
