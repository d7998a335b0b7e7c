"""What is open and promised, on both sides: the entry asks for 150 more."""

from typing import Any

from risk.domain.decision import Denial
from risk.domain.rules import exposure
from risk.domain.situation import Exposed, Situation
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import entry, exposed, limited
from trading.domain.position import Direction
from trading.domain.units import Usdc

CAP = Usdc.of(1_000)
symbol, side, source, account, desk, group = exposure.RULES
# What each cap counts, and beside it what it doesn't.
STRANGER: dict[str, Any] = {
    "is_own": False, "symbol": "ETH-USD", "group": "metals", "direction": Direction.SHORT, "source": "other"
}  # fmt: skip


def with_open(*rows: Exposed, scope: str, **limits: Any) -> Situation:
    return entry(exposed=rows, policy=limited(scope=scope, **limits))


def others(**same: Any) -> Exposed:
    """Something that shares nothing with the entry but what is said."""
    return exposed(900, **STRANGER | same)


def pair(notional: str, *, scope: str, name: str, **same: Any) -> Situation:
    return with_open(exposed(notional, **STRANGER | same), others(), scope=scope, **{name: CAP})


PASSES: list[Pass] = [
    (symbol, pair("850", scope="symbol", name="max_exposure", symbol="BTC-USD")),
    (side, pair("850", scope="desk", name="max_side_exposure", direction=Direction.LONG)),
    (source, pair("850", scope="overall", name="max_source_exposure", source="default")),
    (account, pair("850", scope="account", name="max_exposure", is_own=True)),
    (desk, with_open(exposed(850, **STRANGER), scope="desk", max_exposure=CAP)),
    (group, pair("850", scope="desk", name="max_group_exposure", group="crypto")),
    (exposure.open_positions, with_open(exposed(1, positions=2), others(), scope="overall", max_open_positions=3)),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            rule,
            pair("850.000001", scope=scope, name=name, **same),
            code,
            value="$1000.000001",
            limit="$1000",
            message=f"Exposure $1000.000001 exceeds the {whose} limit $1000, $850.000001 are open or promised",
        )
        for rule, scope, name, same, code, whose in (
            (symbol, "symbol", "max_exposure", {"symbol": "BTC-USD"}, Denial.EXPOSURE_ABOVE_SYMBOL_LIMIT, "symbol"),
            (side, "desk", "max_side_exposure", {"direction": Direction.LONG}, Denial.EXPOSURE_ABOVE_SIDE_LIMIT, "side"),
            (source, "overall", "max_source_exposure", {"source": "default"}, Denial.EXPOSURE_ABOVE_SOURCE_LIMIT, "source"),
            (account, "account", "max_exposure", {"is_own": True}, Denial.EXPOSURE_ABOVE_ACCOUNT_LIMIT, "account"),
            (group, "desk", "max_group_exposure", {"group": "crypto"}, Denial.EXPOSURE_ABOVE_GROUP_LIMIT, "group"),
        )
    ),
    refusal(
        desk,
        with_open(exposed("850.000001", **STRANGER), scope="desk", max_exposure=CAP),
        Denial.EXPOSURE_ABOVE_DESK_LIMIT,
        value="$1000.000001",
        limit="$1000",
        message="Exposure $1000.000001 exceeds the desk limit $1000, $850.000001 are open or promised",
    ),
    refusal(
        exposure.open_positions,
        with_open(exposed(1, positions=3), others(), scope="overall", max_open_positions=3),
        Denial.TOO_MANY_POSITIONS,
        value="4",
        limit="3",
        message="3 positions are open or promised, limit 3",
    ),
]
