"""Trading states and locks, on both sides."""

from dataclasses import replace
from datetime import timedelta

from risk.domain.decision import Denial
from risk.domain.halt import UNSET, HaltScope, StateHeld, TradingState
from risk.domain.lock import ActiveLock, LockKind
from risk.domain.rules import halts
from risk.domain.situation import SourceFacts
from tests.factories import NOW
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import close, entry

REDUCING = StateHeld(
    state=TradingState.REDUCING, scope=HaltScope.SYMBOL, key="BTC-USD", reason="thin", set_by="rita", since=NOW, until=None
)
HALTED = replace(REDUCING, state=TradingState.HALTED, scope=HaltScope.GLOBAL, key="")
CONSOLE = SourceFacts(name="console")
CODES = dict(
    zip(LockKind, [code for code in Denial if code.startswith("LOCK_")], strict=True),
)


def lock(kind: LockKind) -> ActiveLock:
    return ActiveLock(
        lock_id=1,
        kind=kind,
        symbol=None,
        value="$21",
        limit="$20",
        reason="lost $21",
        placed_by="rule",
        since=NOW,
        until=NOW + timedelta(hours=1),
    )


LOCK_RULES = dict(zip(LockKind, halts.RULES, strict=True))

PASSES: list[Pass] = [
    (halts.trading_state, entry(state=UNSET)),
    (halts.trading_state, close(state=REDUCING)),
    (halts.trading_state, close(state=HALTED, source=CONSOLE)),
    *((rule, entry(locks=tuple(lock(other) for other in LockKind if other is not kind))) for kind, rule in LOCK_RULES.items()),
]

REFUSALS: list[Refusal] = [
    refusal(
        halts.trading_state,
        entry(state=REDUCING),
        Denial.TRADING_REDUCING,
        value="REDUCING",
        limit="ACTIVE",
        message="SYMBOL BTC-USD is REDUCING: thin",
    ),
    refusal(
        halts.trading_state,
        close(state=HALTED),
        Denial.TRADING_HALTED,
        value="HALTED",
        limit="ACTIVE",
        message="GLOBAL is HALTED: thin",
    ),
    refusal(
        halts.trading_state,
        entry(state=HALTED, source=CONSOLE),
        Denial.TRADING_HALTED,
        value="HALTED",
        limit="ACTIVE",
        message="GLOBAL is HALTED: thin",
    ),
    *(
        refusal(rule, entry(locks=(lock(kind),)), CODES[kind], value="$21", limit="$20", message=str(lock(kind)))
        for kind, rule in LOCK_RULES.items()
    ),
]
