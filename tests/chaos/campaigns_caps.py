"""Eight processes decide at once under one cap: never over it, and nothing refused that fitted."""

import multiprocessing
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any

from risk.domain.decision import Denial
from risk.domain.policy import Scope
from risk.models import Decision, Leg, Policy
from risk.services import decisions
from tests.chaos import crew
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.crew import Lanes, Round
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict
from tests.factories.trading import MarketFactory, SignalFactory, TraderFactory
from tests.fakes.accounts import Accounts
from tests.fakes.switch import Switch
from trading.domain.units import Leverage, Usdc, notional
from trading.models import Market, Signal, Trader

CROWD = 8
SIGNALS = 30
CAP = Usdc.of(10_000)
_SMALLEST, _LARGEST = 20, 200
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a round came to: the sum approved, how many were approved, and the sizes of those refused by the cap."""

    approved: Usdc
    count: int
    refused: tuple[Usdc, ...]
    decided: int

    def breaches(self, cap: Usdc) -> list[str]:
        """What must not be: more than the cap, or one refused that would fit even now."""
        over = [f"{self.approved} approved above {cap}"] if self.approved > cap else []
        fitting = [f"{size} was refused at {self.approved} of {cap}" for size in self.refused if self.approved + size <= cap]
        return over + fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides one account's signals as soon as everybody is there."""

    barrier: Barrier

    def __call__(self, told: Round) -> list[str]:
        """Wait for the others, then decide."""
        self.barrier.wait(timeout=_PATIENCE)
        (trader_id,) = told.lanes.traders
        # On a machine that is busy with others a shared cap may be held for too long: then as the sweep does, again.
        while Signal.objects.due(trader_id=trader_id, at=told.now).exists():
            decisions.drain(trader_id=trader_id, switch=Switch(), accounts=Accounts(), clock=lambda: told.now)
        return []


def decide_at_once(*, at: datetime, seed: int, policy: dict[str, Any]) -> Outcome:
    """A round: an account and thirty signals of any size for each process, all decided at the same instant."""
    Policy.objects.update(max_exposure_usdc=None, max_side_exposure_usdc=None, max_group_exposure_usdc=None)
    scope, symbol = policy.pop("scope", Scope.GLOBAL), policy.pop("symbol", None)
    Policy.objects.update_or_create(scope=scope, symbol=symbol, tg_user_id=None, defaults={"updated_at": at, **policy})
    traders = _accounts(at=at, chance=random.Random(seed))
    barrier = multiprocessing.get_context("fork").Barrier(CROWD)
    with crew.crew(CROWD, lambda: Judge(barrier=barrier)) as gathered:
        for worker, trader in zip(gathered.workers, traders, strict=True):
            worker.begin(Round(now=at, lanes=Lanes(senders=(), traders=(trader.pk,))))
        troubles = [said for worker in gathered.workers for said in worker.finish()]
    if troubles:
        raise RuntimeError("\n".join(troubles))
    return _outcome(traders)


def _accounts(*, at: datetime, chance: random.Random) -> list[Trader]:
    market = MarketFactory()
    Market.objects.filter(pk=market.pk).update(min_notional_usdc=Usdc.of(1))
    traders: list[Trader] = TraderFactory.create_batch(CROWD)
    for trader in traders:
        for _ in range(SIGNALS):
            size = Usdc.of(chance.randint(_SMALLEST, _LARGEST))
            SignalFactory(trader=trader, market=market, collateral_usdc=size, leverage_x=Leverage.of(1), received_at=at)
    return traders


def _outcome(traders: list[Trader]) -> Outcome:
    legs = Leg.objects.filter(trader__in=traders)
    made = Decision.objects.filter(trader__in=traders)
    refused = made.exclude(code="").select_related("signal")
    wrong = refused.exclude(code__in=[code for code in Denial if code.startswith("EXPOSURE")])
    if wrong.exists():
        raise RuntimeError(f"refused for something else: {wrong.values_list('code', flat=True)[0]}")
    sizes = tuple(each.signal.collateral_usdc for each in refused if each.signal.collateral_usdc is not None)
    # What ends gives its room back: the next round begins with all of it.
    found = Outcome(
        approved=sum((notional(leg.collateral_usdc, leg.leverage_x) for leg in legs), Usdc.zero()),
        count=legs.count(),
        refused=sizes,
        decided=made.count(),
    )
    legs.update(settled_at=made[0].decided_at, next_action_at=None)
    return found


WIDTHS: dict[str, dict[str, Any]] = {
    "the desk": {"max_exposure_usdc": CAP},
    "a side": {"max_side_exposure_usdc": CAP},
    "a market": {"scope": Scope.SYMBOL, "symbol": "BTC-USD", "max_exposure_usdc": CAP},
}


def caps(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Round after round, under a cap of each width."""
    rows = {name: Row(fault=f"{CROWD} processes, one cap of {name}") for name in WIDTHS}
    for number in bounds.each():
        for name, policy in WIDTHS.items():
            found = decide_at_once(at=stand.now, seed=bounds.seed * 1_000 + number, policy=dict(policy))
            rows[name].violations += found.breaches(CAP)
            rows[name].add(Verdict(signals=found.decided, once=found.decided), seconds=0.0)
    return rows.values()


CAMPAIGNS = (Campaign(name="caps", run=caps),)
