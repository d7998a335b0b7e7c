"""How fast waiting signals are decided, what each costs, and what a cap of the whole desk adds."""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from execution.adapters.accounts import DeskAccounts
from execution.desk import Desk
from risk.domain.policy import Scope
from risk.models import Decision, Policy
from risk.services import decisions
from tests.bench.line import Tally
from tests.chaos.stand import Stand
from tests.factories.trading import MarketFactory, SignalFactory, SourceFactory
from trading import failpoints
from trading.domain.units import Usdc
from trading.models import Signal, Trader

SIGNALS = 1_000
# Of accounts that nobody else uses here.
_FIRST_USER = 6_000_000_000
_CAP = Usdc.of(10**12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Decisions a second of one process, and what each asked of the database and of the chain."""

    what: str
    decisions: int
    per_second: float
    queries: float
    commits: float
    asks: float


def measure(stand: Stand) -> list[Pace]:
    """A thousand signals of one account, of a thousand accounts, and of these under a cap of the whole desk."""
    desk = stand.desk(stand.hire())
    one = _measured("one account", desk, accounts=1)
    many = _measured(f"{SIGNALS} accounts", desk, accounts=SIGNALS)
    Policy.objects.filter(scope=Scope.GLOBAL).update(max_exposure_usdc=_CAP)
    capped = _measured(f"{SIGNALS} accounts, one cap of the desk", desk, accounts=SIGNALS)
    Policy.objects.filter(scope=Scope.GLOBAL).update(max_exposure_usdc=None)
    return [one, many, capped]


def _measured(what: str, desk: Desk, *, accounts: int) -> Pace:
    traders = _waiting(accounts)
    at = traders[0].created_at + timedelta(seconds=1)
    tally = Tally()
    with connection.execute_wrapper(tally.query), failpoints.listening(tally.reach):
        begun = time.perf_counter()
        for trader in traders:
            decisions.drain(trader_id=trader.pk, switch=desk.switch, accounts=DeskAccounts(desk), clock=lambda: at)
        seconds = time.perf_counter() - begun
    made = Decision.objects.filter(trader__in=traders, code="").count()
    if made != SIGNALS:
        raise RuntimeError(f"{made} of {SIGNALS} were approved")
    counts = tally.counts()
    return Pace(
        what=what,
        decisions=made,
        per_second=made / seconds,
        queries=counts.queries / made,
        commits=counts.commits / made,
        asks=sum(counts.asks.values()) / made,
    )


def _waiting(accounts: int) -> list[Trader]:
    """New accounts with a thousand signals between them, each of which waits for its decision."""
    first = _FIRST_USER + Trader.objects.count()
    traders = Trader.objects.bulk_create(
        Trader(tg_user_id=first + number, name=f"bench {number}", address=f"0x{first + number:040x}")
        for number in range(accounts)
    )
    source, market = SourceFactory(), MarketFactory()
    at = traders[0].created_at
    Signal.objects.bulk_create(
        SignalFactory.build(
            trader=traders[number % accounts], source=source, market=market, signal_id=f"{first}-{number}", received_at=at
        )
        for number in range(SIGNALS)
    )
    return traders
