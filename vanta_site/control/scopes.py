"""A scope of an act, in words and as what it holds: the desk, a market, a source, an account."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from risk.domain.halt import HaltScope
from trading.domain.signal import ENTRIES
from trading.domain.units import Usdc
from trading.models import Position, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is open in a scope."""

    positions: int
    accounts: int
    collateral: Usdc

    def __str__(self) -> str:
        if not self.positions:
            return "no position"
        positions, accounts = counted(self.positions, "position"), counted(self.accounts, "account")
        return f"{positions} of {accounts}, about ${self.collateral.decimal:,.0f} of collateral"


def counted(number: int, word: str) -> str:
    """A number with its word, which says whether it is one."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number} {word if number == 1 else plural}"


def named(scope: HaltScope, key: str) -> str:
    """A scope as a sentence calls it."""
    match scope:
        case HaltScope.GLOBAL:
            return "the desk"
        case HaltScope.SYMBOL:
            return key
        case HaltScope.SOURCE:
            return f"source {key}"
        case HaltScope.USER:
            return f"account {key}"


def held(scope: HaltScope, key: str, *, book: str = "") -> Held:
    """What is open in a scope, of one book or of both. One query."""
    rows = Position.objects.open().ours().filter(_positions_of(scope, key))
    if book:
        rows = rows.filter(book=book)
    sums: dict[str, Any] = rows.aggregate(
        positions=Count("pk"), accounts=Count("trader", distinct=True), collateral=Sum("collateral_usdc")
    )
    return Held(**sums | {"collateral": sums["collateral"] or Usdc.zero()})


def waiting_entries(scope: HaltScope, key: str) -> int:
    """How many entries of a scope wait for their decision. One query."""
    waiting = Signal.objects.filter(next_action_at__isnull=False, side__in=ENTRIES)
    return waiting.filter(_signals_of(scope, key)).count()


def _positions_of(scope: HaltScope, key: str) -> Q:
    match scope:
        case HaltScope.GLOBAL:
            return Q()
        case HaltScope.SYMBOL:
            return Q(market__symbol=key)
        case HaltScope.USER:
            return Q(trader__tg_user_id=key)
        case HaltScope.SOURCE:
            return _sources("signal__source_name", key)


def _signals_of(scope: HaltScope, key: str) -> Q:
    match scope:
        case HaltScope.GLOBAL:
            return Q()
        case HaltScope.SYMBOL:
            return Q(market__symbol=key)
        case HaltScope.USER:
            return Q(trader__tg_user_id=key)
        case HaltScope.SOURCE:
            return _sources("source_name", key)


def _sources(column: str, key: str) -> Q:
    """A source by its name; `copy` also means each `copy:...`."""
    return Q(**{column: key}) | Q(**{f"{column}__startswith": f"{key}:"})
