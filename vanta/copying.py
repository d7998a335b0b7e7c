"""Leaders and those who follow them: a part of the desk behind its API."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from vanta.answers import Following, Leader

Amount = str | int | Decimal


class Copying:
    """What a desk says and does about copy trading, over the desk's own wire."""

    def leaders(self, *, days: int = 30, by: str = "PNL", limit: int = 50) -> tuple[Leader, ...]:
        """Whom accounts can follow, the best of the last 7, 30 or 90 days first, by PNL, VOLUME or CONSISTENCY."""
        return tuple(Leader.of(each) for each in self._get("leaders", days=days, by=by, limit=limit)["results"])

    def following(self, **narrowed_by: str | int) -> Iterator[Following]:
        """Who follows whom, narrowed by tg_user_id, leader or mode."""
        asked: dict[str, str | int] = dict(narrowed_by)
        while True:
            page = self._get("following", **asked)
            yield from (Following.of(each) for each in page["results"])
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]

    def tracking(self, **narrowed_by: str | int) -> Iterator[dict[str, Any]]:
        """Each day's report of each following, as the API writes it, narrowed by tg_user_id, following or book."""
        asked: dict[str, str | int] = dict(narrowed_by)
        while True:
            page = self._get("trackings", **asked)
            yield from page["results"]
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]

    def follow_leader(self, *, tg_user_id: int, leader: int, sizing: str, reason: str, **terms: Amount) -> Following:
        """Let an account copy a leader: FIXED takes fixed_usdc, MIRROR and EQUITY_PCT take share_pct; caps beside them."""
        said = {"tg_user_id": tg_user_id, "leader": leader, "sizing": sizing, "reason": reason}
        return Following.of(self._post("following", said | {name: _written(value) for name, value in terms.items()}))

    def turn_following(self, following: int, mode: str, *, reason: str) -> Following:
        """Copy ON, CLOSES_ONLY, or OFF from now on."""
        return Following.of(self._post(f"following/{following}/turn", {"mode": mode, "reason": reason}))

    def _get(self, path: str, **asked: str | int) -> dict[str, Any]:
        raise NotImplementedError

    def _post(self, path: str, said: Mapping[str, Any], *, key: str = "") -> dict[str, Any]:
        raise NotImplementedError


def _written(value: Amount) -> str | int:
    """A count as it is, an amount as text: no reader's float touches it."""
    return value if isinstance(value, int) else str(value)
