"""What people and rules have blocked for a while: trading states, and locks."""

from risk.domain.decision import Check, Denial, Rule
from risk.domain.halt import TradingState
from risk.domain.lock import LockKind
from risk.domain.rules.speech import check
from risk.domain.situation import Situation

_CODES = {
    LockKind.DAILY_LOSS: Denial.LOCK_DAILY_LOSS,
    LockKind.DRAWDOWN: Denial.LOCK_DRAWDOWN,
    LockKind.COOLDOWN: Denial.LOCK_COOLDOWN,
    LockKind.STOP_LOSS_GUARD: Denial.LOCK_STOP_LOSS_GUARD,
    LockKind.LOW_PROFIT: Denial.LOCK_LOW_PROFIT,
    LockKind.MANUAL: Denial.LOCK_MANUAL,
}


def trading_state(situation: Situation) -> Check:
    """The strictest state of the desk, the market, the source and the account lets the signal pass."""
    held = situation.state
    refused = held.refuses(is_entry=situation.is_entry, source=situation.source.name)
    code = Denial.TRADING_HALTED if held.state is TradingState.HALTED else Denial.TRADING_REDUCING
    whose = f"{held.scope} {held.key}".strip()
    message = f"{whose} is {held.state}: {held.reason}"
    return check(code, not refused, str(held.state), str(TradingState.ACTIVE), message)


def _lock(kind: LockKind) -> Rule:
    def unlocked(situation: Situation) -> Check | None:
        """Nothing of this kind locks the account's entries in the market."""
        if not situation.is_entry:
            return None
        held = next((lock for lock in situation.locks if lock.kind is kind), None)
        if held is None:
            return check(_CODES[kind], True, "no lock", "no lock", "")  # noqa: FBT003 - the verdict itself
        return check(_CODES[kind], False, held.value, held.limit, str(held))  # noqa: FBT003 - the verdict itself

    unlocked.__name__ = f"lock_{kind.lower()}"
    return unlocked


RULES: tuple[Rule, ...] = tuple(_lock(kind) for kind in LockKind)
