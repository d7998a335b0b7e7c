"""One body for each act, as people send it; a test sends each."""

from typing import Any

_WHY = {"reason": "drill"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Signals": {
        "signal_id": "test-001",
        "tg_user_id": 123,
        "symbol": "BTC-USD",
        "side": "LONG",
        "collateral_usdc": "5",
        "leverage_x": "2",
    },
    "Granting": _WHY,
    "Declining": _WHY,
    "Closing": {"reduce_pct": "50"},
    "Guarding": {
        "stop": {"move_pct": "2"},
        "targets": [{"reward": "1", "close_pct": "50"}, {"reward": "2", "close_pct": "50"}],
        "breakeven_after": 1,
        **_WHY,
    },
    "Breakeven": _WHY,
    "Bumping": _WHY,
    "Canceling": {"confirmation": "CANCEL", **_WHY},
    "Policies": {"scope": "USER", "tg_user_id": 123, "max_leverage_x": "5", **_WHY},
    "Halts": {"scope": "SYMBOL", "key": "BTC-USD", "state": "REDUCING", **_WHY},
    "Flattens": {"scope": "USER", "key": "123", "book": "PAPER", "confirmation": "FLATTEN", **_WHY},
    "Locks": {"tg_user_id": 123, "book": "LIVE", "symbol": "BTC-USD", **_WHY},
    "Lifting": _WHY,
    "Followings": {"tg_user_id": 123, "leader": 1, "sizing": "MIRROR", "share_pct": "5", "max_trade_usdc": "100", **_WHY},
    "Amending": {"sizing": "FIXED", "fixed_usdc": "50", "max_day_usdc": "500", "max_leverage_x": "10", **_WHY},
    "FollowingTurn": {"mode": "CLOSES_ONLY", **_WHY},
    "Pausing": _WHY,
    "Draining": _WHY,
    "Resuming": _WHY,
    "Rebroadcasting": _WHY,
    "Switching": {"mode": "DRY", **_WHY},
    "Confirming": {"confirmation": "LIVE", **_WHY},
    "Stopping": _WHY,
    "LiftingTheStop": _WHY,
    "Turning": {"name": "maintenance", "is_on": True, **_WHY},
}
