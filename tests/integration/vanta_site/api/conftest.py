"""A desk with two accounts, and everybody who may call."""

from dataclasses import dataclass

import pytest
import redis
from django.contrib.auth.models import User

from execution.models import AccountLook, Difference, Sender, WalletFlow
from risk.domain.halt import HaltScope
from risk.domain.policy import Scope as PolicyScope
from risk.models import Copy, Equity, EquitySample, Flatten, Following, Halt, Lock, Policy, Tracking
from tests.factories import NOW
from tests.factories.copying import CopyFactory, TrackingFactory
from tests.factories.flow import Flow, filled
from tests.factories.logins import operator
from tests.factories.paper import PaperFlowFactory
from tests.factories.people import SUPER_ADMIN
from tests.factories.reconciliation import AccountLookFactory, DifferenceFactory, WalletFlowFactory
from tests.factories.risk import EquityFactory, EquitySampleFactory, FlattenFactory, HaltFactory, LockFactory, PolicyFactory
from tests.factories.trading import SourceFactory
from trading.api import throttling
from trading.domain.people import Role
from trading.domain.units import Leverage
from trading.models import Event, Member, ModeState, PaperFlow, Trader
from trading.services import members


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account with a row of everything that is about it."""

    flow: Flow
    halt: Halt
    flatten: Flatten
    lock: Lock
    policy: Policy
    equity: Equity
    sample: EquitySample
    look: AccountLook
    difference: Difference
    flow_of_wallet: WalletFlow
    # The stake on paper.
    flows: PaperFlow
    copy: Copy
    tracking: Tracking

    @property
    def following(self) -> Following:
        return self.copy.following

    @property
    def trader(self) -> Trader:
        return self.flow.signal.trader

    @property
    def number(self) -> int:
        return self.trader.tg_user_id

    @property
    def event(self) -> Event:
        return Event.objects.filter(trace_id=self.flow.signal.trace_id).earliest("pk")

    @property
    def sender(self) -> Sender:
        return self.flow.intent.sender


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Two accounts, and one person of each role; the trader's is the first account."""

    own: Account
    other: Account
    people: dict[Role, User | Member]


def account() -> Account:
    flow = filled()
    copy = CopyFactory(following__follower=flow.signal.trader)
    number = flow.signal.trader.tg_user_id
    return Account(
        flow=flow,
        halt=HaltFactory(scope=HaltScope.USER, key=str(number)),
        flatten=FlattenFactory(scope=HaltScope.USER, key=str(number)),
        lock=LockFactory(trader=flow.signal.trader),
        policy=PolicyFactory(scope=PolicyScope.USER, tg_user_id=number, max_leverage_x=Leverage.of(5)),
        equity=EquityFactory(trader=flow.signal.trader),
        sample=EquitySampleFactory(trader=flow.signal.trader),
        look=AccountLookFactory(trader=flow.signal.trader),
        difference=DifferenceFactory(trader=flow.signal.trader),
        flow_of_wallet=WalletFlowFactory(trader=flow.signal.trader),
        flows=PaperFlowFactory(wallet__trader=flow.signal.trader),
        copy=copy,
        tracking=TrackingFactory(following=copy.following),
    )


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    throttling.forget()


@pytest.fixture
def world(desk: ModeState, switch: redis.Redis) -> World:
    for name in ("api", "console"):
        SourceFactory(name=name, is_internal=True)
    own, other = account(), account()
    by_login = {role: operator(f"a {role}", role) for role in (Role.VIEWER, Role.RISK, Role.SUPER_ADMIN)}
    trader = members.admit(tg_user_id=own.number, roles=[Role.TRADER], by=SUPER_ADMIN, reason="new", at=NOW)
    return World(own=own, other=other, people={**by_login, Role.TRADER: trader})
