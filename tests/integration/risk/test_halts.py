"""Trading states: more caution at once, less only by who may, each change with its trace."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from risk.domain.authority import ReasonMissing
from risk.domain.halt import UNSET, Halts, HaltScope, StateHeld, TradingState
from risk.models import Halt
from risk.services import halts
from tests.factories import NOW
from tests.factories.people import RISK, VIEWER, trader
from tests.factories.risk import HaltFactory, LockFactory
from tests.factories.trading import EtherMarketFactory, MarketFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.people import NotAllowed, Person
from trading.models import AuditRow, Event, ModeState, Trader
from trading.services import audit_checks

pytestmark = pytest.mark.django_db

ACTIVE, REDUCING, HALTED = TradingState
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _desk(db: None) -> None:
    ModeState.objects.get_or_create(pk=1, defaults={"configured": "DRY", "updated_at": NOW})


def tell(state: TradingState, *, person: Person = RISK, **said: Any) -> StateHeld:
    told = {"scope": HaltScope.GLOBAL, "key": "", "reason": "a drill", "at": NOW} | said
    return halts.set_state(state=state, person=person, **told)


def met(account: Trader, *, minutes: int = 0, book: Book = Book.LIVE) -> Halts:
    with transaction.atomic():
        return halts.of(account, book=book, at=NOW + timedelta(minutes=minutes))


def test_a_state_that_is_set_is_met_at_once_with_its_reason() -> None:
    account = TraderFactory()

    tell(REDUCING, reason="the feed looks odd")

    state = met(account).state(symbol="BTC-USD", source="desk")
    assert (state.state, state.reason, state.set_by, state.since) == (REDUCING, "the feed looks odd", "rita", NOW)


@pytest.mark.parametrize(("scope", "key"), [("SYMBOL", "btc/usd"), ("SOURCE", "desk"), ("USER", "7"), ("GLOBAL", "")])
def test_a_state_covers_its_scope_and_nothing_else(scope: str, key: str) -> None:
    MarketFactory()
    mine, other = TraderFactory(tg_user_id=7), TraderFactory()

    tell(HALTED, scope=HaltScope(scope), key=key)

    assert met(mine).state(symbol="BTC-USD", source="desk").state is HALTED
    is_everywhere = scope == "GLOBAL"
    assert (met(mine).state(symbol="ETH-USD", source="desk").state is HALTED) is (is_everywhere or scope in ("SOURCE", "USER"))
    assert (met(other).state(symbol="ETH-USD", source="web").state is HALTED) is is_everywhere


def test_an_end_comes_by_itself() -> None:
    account = TraderFactory()

    tell(HALTED, until=LATER)

    assert met(account, minutes=4).state(symbol="BTC-USD", source="desk").state is HALTED
    assert met(account, minutes=5).state(symbol="BTC-USD", source="desk") == UNSET


def test_a_state_that_ran_out_makes_way_for_another() -> None:
    tell(HALTED, until=LATER)

    tell(REDUCING, at=LATER)

    first, second = Halt.objects.order_by("pk")
    assert (first.ended_at, first.ended_by, first.end_reason) == (LATER, "time", "")
    assert (second.state, second.since, second.ended_at) == ("REDUCING", LATER, None)


def test_resuming_ends_the_row_and_keeps_it() -> None:
    account = TraderFactory()
    tell(REDUCING)

    tell(ACTIVE, reason="all is well", at=LATER)

    row = Halt.objects.get()
    assert (row.state, row.ended_at, row.ended_by, row.end_reason) == ("REDUCING", LATER, "rita", "all is well")
    assert met(account, minutes=5).state(symbol="BTC-USD", source="desk") == UNSET


def test_every_change_is_in_the_audit_log_and_in_the_journal() -> None:
    tell(REDUCING, until=LATER)
    tell(HALTED, until=LATER)
    tell(ACTIVE)

    rows = AuditRow.objects.filter(action="state.change").order_by("pk")
    end = LATER.isoformat()
    assert [(row.actor, row.subject, row.before, row.after, row.reason) for row in rows] == [
        ("rita", "state:GLOBAL:", {"state": "ACTIVE", "until": None}, {"state": "REDUCING", "until": end}, "a drill"),
        ("rita", "state:GLOBAL:", {"state": "REDUCING", "until": end}, {"state": "HALTED", "until": end}, "a drill"),
        ("rita", "state:GLOBAL:", {"state": "HALTED", "until": end}, {"state": "ACTIVE", "until": None}, "a drill"),
    ]
    assert [event.facts["state"] for event in Event.objects.filter(kind="risk.state_changed").order_by("pk")] == [
        "REDUCING",
        "HALTED",
        "ACTIVE",
    ]
    assert audit_checks.verify().is_whole


def test_setting_what_holds_is_no_change() -> None:
    tell(REDUCING)
    tell(REDUCING, reason="again")
    tell(ACTIVE, scope=HaltScope.SOURCE, key="desk")

    assert Halt.objects.count() == 1
    assert AuditRow.objects.count() == 1


@pytest.mark.parametrize(
    ("person", "scope", "key"),
    [
        (VIEWER, HaltScope.GLOBAL, ""),
        (VIEWER, HaltScope.USER, "7"),
        (trader(7), HaltScope.GLOBAL, ""),
        (trader(8), HaltScope.USER, "7"),
    ],
)
def test_who_may_not_pause_changes_nothing(person: Person, scope: HaltScope, key: str) -> None:
    TraderFactory(tg_user_id=7)

    with pytest.raises(NotAllowed):
        tell(REDUCING, person=person, scope=scope, key=key)

    assert not Halt.objects.exists()
    assert not AuditRow.objects.exists()


def test_a_trader_pauses_his_own_account_but_only_the_risk_role_resumes_it() -> None:
    TraderFactory(tg_user_id=7)
    mine = {"scope": HaltScope.USER, "key": "7"}
    tell(REDUCING, person=trader(7), **mine)
    tell(HALTED, person=trader(7), **mine)

    for state, until in ((REDUCING, None), (ACTIVE, None), (HALTED, LATER)):
        with pytest.raises(NotAllowed):
            tell(state, person=trader(7), until=until, **mine)
    assert Halt.objects.get(ended_at=None).state == "HALTED"

    tell(ACTIVE, **mine)
    assert not Halt.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("reason", ["", "  "])
def test_nothing_is_set_without_a_reason(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        tell(REDUCING, reason=reason)
    assert not Halt.objects.exists()


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (HaltScope.GLOBAL, "BTC-USD"),
        (HaltScope.SYMBOL, "NO-USD"),
        (HaltScope.SYMBOL, ""),
        (HaltScope.USER, "7"),
        (HaltScope.USER, "seven"),
        (HaltScope.USER, "9" * 40),
        (HaltScope.SOURCE, ""),
        (HaltScope.SOURCE, "x" * 65),
    ],
)
def test_a_scope_that_names_nothing_is_refused(scope: HaltScope, key: str) -> None:
    with pytest.raises(halts.ScopeUnknown):
        tell(REDUCING, scope=scope, key=key)
    assert not Halt.objects.exists()


@pytest.mark.parametrize(("state", "until"), [(REDUCING, NOW), (REDUCING, NOW - timedelta(seconds=1)), (ACTIVE, LATER)])
def test_an_end_before_the_beginning_is_refused(state: TradingState, until: object) -> None:
    with pytest.raises(halts.UntilRefused):
        tell(state, until=until)


def test_the_desks_states_are_listed_the_widest_first() -> None:
    MarketFactory()
    tell(REDUCING, scope=HaltScope.SYMBOL, key="BTC-USD")
    tell(HALTED, until=LATER)

    assert [state.scope for state in halts.held(at=NOW)] == [HaltScope.GLOBAL, HaltScope.SYMBOL]
    assert [state.scope for state in halts.held(at=LATER)] == [HaltScope.SYMBOL]


def test_what_an_account_meets_costs_two_queries_however_much_there_is() -> None:
    account = TraderFactory()
    for market in (MarketFactory(), EtherMarketFactory()):
        LockFactory(trader=account, market=market)
        HaltFactory(scope=HaltScope.SYMBOL, key=market.symbol)
        HaltFactory(scope=HaltScope.USER, key=str(TraderFactory().tg_user_id))

    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        found = halts.of(account, book=Book.LIVE, at=NOW)

    assert len(asked) == 2
    assert [state.key for state in found.states] == ["BTC-USD", "ETH-USD"]
    assert [lock.symbol for lock in found.active] == ["BTC-USD", "ETH-USD"]


def test_an_account_meets_its_own_locks_of_the_book_only() -> None:
    account = TraderFactory()
    lock = LockFactory(trader=account, until=LATER)
    LockFactory(trader=account, book=Book.PAPER)
    LockFactory()

    assert [each.lock_id for each in met(account).active] == [lock.pk]
    assert met(account, minutes=5).active == ()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_one_state() -> None:
    def pause(number: int) -> None:
        try:
            tell(REDUCING, reason=f"drill {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pause, range(8)))

    assert Halt.objects.count() == 1
    assert AuditRow.objects.filter(action="state.change").count() == 1
