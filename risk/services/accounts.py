"""Accounts: what the chain says of a trader's money, asked before his entries are decided and kept for everybody else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from risk.models import AccountFacts
from risk.ports import AccountReading, Accounts, Need
from trading.domain.errors import Unavailable
from trading.domain.signal import ENTRY_LIFETIME
from trading.domain.units import Usdc, Wei
from trading.kinds import piece, step
from trading.models import Signal, Trader

log = structlog.get_logger(__name__)

# While nobody answers, a reading of this age still counts: an entry waits no longer than twice as long.
FRESH = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of an account. `is_needed`: some entry waits for it; then None means that nobody could say."""

    is_needed: bool
    reading: AccountReading | None = None
    seen_at: datetime | None = None


NOT_NEEDED = Sight(is_needed=False)


@step
def look(trader_id: int, *, accounts: Accounts, at: datetime) -> Sight:
    """Ask about an account if a LIVE entry of it waits; a recent answer stands in for one that doesn't come."""
    waiting = list(Signal.objects.due(trader_id=trader_id, at=at).live_entries().values_list("collateral_usdc", flat=True))
    if not waiting:
        return NOT_NEEDED
    trader = Trader.objects.get(pk=trader_id)
    try:
        return Sight(is_needed=True, reading=accounts.look(trader.address, need=_need(waiting, at=at)), seen_at=at)
    except Unavailable as error:
        log.warning("account.unseen", trader=trader_id, **error.facts)
    kept = AccountFacts.objects.filter(trader_id=trader_id, seen_at__gt=at - FRESH).first()
    return Sight(is_needed=True) if kept is None else Sight(is_needed=True, reading=_reading(kept), seen_at=kept.seen_at)


def _need(waiting: list[Usdc | None], *, at: datetime) -> Need:
    collateral = sum((each for each in waiting if each is not None), Usdc.zero())
    return Need(collateral=collateral, gas=Wei(settings.GAS_FLOOR_WEI), until=at + ENTRY_LIFETIME)


@piece
def keep(trader: Trader, sight: Sight) -> None:
    """Write down what was seen, for those who don't ask themselves."""
    if sight.reading is None or sight.seen_at is None:
        return
    said = sight.reading
    AccountFacts.objects.bulk_create(
        [
            AccountFacts(
                trader=trader,
                balance_usdc=said.balance,
                allowance_usdc=said.allowance,
                delegated_until=said.delegated_until,
                gas_wei=said.gas,
                block_number=said.block_number,
                seen_at=sight.seen_at,
            )
        ],
        update_conflicts=True,
        unique_fields=["trader"],
        update_fields=["balance_usdc", "allowance_usdc", "delegated_until", "gas_wei", "block_number", "seen_at"],
    )


def _reading(row: AccountFacts) -> AccountReading:
    return AccountReading(
        balance=row.balance_usdc,
        allowance=row.allowance_usdc,
        delegated_until=row.delegated_until,
        gas=row.gas_wei,
        block_number=row.block_number,
    )
