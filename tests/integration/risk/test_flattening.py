"""Flattening: one close for each open position of a scope, whoever works the job and wherever he dies."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.services import orders
from risk.domain.authority import ReasonMissing
from risk.domain.decision import Action
from risk.domain.flatten import Extent, FlattenStatus, Progress
from risk.domain.halt import HaltScope, TradingState
from risk.models import Flatten, Halt, Leg
from risk.services import decisions, flattening, halts
from tests.factories import NOW
from tests.factories.people import RISK, SUPER_ADMIN, VIEWER, trader
from tests.factories.risk import LegFactory
from tests.factories.trading import (
    EtherMarketFactory,
    MarketFactory,
    PositionFactory,
    SignalFactory,
    SourceFactory,
    TraderFactory,
)
from tests.fakes import doorbell
from tests.fakes.accounts import Accounts
from tests.fakes.switch import Switch
from trading import failpoints
from trading.domain.mode import Book
from trading.domain.people import NotAllowed, Person
from trading.domain.position import PositionStatus
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc
from trading.models import AuditRow, Event, Market, Position, Signal, Trader
from trading.services import audit_checks

pytestmark = pytest.mark.django_db
DESK = {"scope": HaltScope.GLOBAL, "key": ""}


class Killed(BaseException):
    """The worker is gone: nobody catches it."""


def start(*, person: Person = RISK, **said: Any) -> Flatten:
    return flattening.start(**DESK | {"book": Book.LIVE, "person": person, "reason": "a drill", "at": NOW} | said)


def work(job: Flatten, *, seconds: float = 0) -> Progress:
    return flattening.work(job_id=job.pk, at=NOW + timedelta(seconds=seconds))


def decide(*, at: Any = NOW) -> None:
    for pk in Signal.objects.filter(status=SignalStatus.RECEIVED).values_list("trader_id", flat=True).distinct():
        decisions.drain(trader_id=pk, switch=Switch(), accounts=Accounts(), clock=lambda: at)


def fill(leg: Leg) -> None:
    """The venue closes what a leg asked for."""
    Position.objects.filter(pk=leg.position_id).update(status=PositionStatus.CLOSED, closed_at=NOW, collateral_usdc=Usdc.zero())
    Leg.objects.filter(pk=leg.pk).update(settled_at=NOW, next_action_at=None)


def closed_by() -> list[int | None]:
    """The positions that closing legs are for, each as often as there is one."""
    return sorted(Leg.objects.filter(action=Action.CLOSE).values_list("position_id", flat=True))


def fresh(job: Flatten) -> Flatten:
    return Flatten.objects.get(pk=job.pk)


def test_a_flatten_puts_its_scope_on_exits_only_and_closes_what_is_open() -> None:
    first, second = PositionFactory(), PositionFactory(market=EtherMarketFactory())
    PositionFactory(book=Book.PAPER)

    job = start()
    assert work(job) == Progress(closed=0, waiting=2, failed=0, opening=0)
    decide()

    assert [state.state for state in halts.held(at=NOW)] == [TradingState.REDUCING]
    assert sorted(Signal.objects.values_list("source_name", "signal_id", "side", "book")) == [
        ("console", f"flatten:{job.pk}:{first.pk}", "CLOSE", "LIVE"),
        ("console", f"flatten:{job.pk}:{second.pk}", "CLOSE", "LIVE"),
    ]
    assert closed_by() == [first.pk, second.pk]


def test_a_job_ends_when_nothing_is_open() -> None:
    PositionFactory()
    job = start()
    work(job)
    decide()
    assert work(job, seconds=2).waiting == 1
    assert (fresh(job).status, fresh(job).next_action_at) == ("RUNNING", NOW + timedelta(seconds=4))

    fill(Leg.objects.get())
    assert work(job, seconds=4) == Progress(closed=1, waiting=0, failed=0, opening=0)

    ended = fresh(job)
    assert (ended.status, ended.ended_at, ended.next_action_at) == ("DONE", NOW + timedelta(seconds=4), None)
    assert [event.facts["status"] for event in Event.objects.filter(kind="flatten.ended")] == ["DONE"]
    assert work(job, seconds=6) == ended.progress


def test_with_nothing_open_a_job_is_done_at_once() -> None:
    job = start()

    work(job)

    assert fresh(job).status == FlattenStatus.DONE
    assert not Signal.objects.exists()


def test_what_the_venue_does_not_close_is_a_failure_that_is_said() -> None:
    kept, gone = PositionFactory(), PositionFactory(market=EtherMarketFactory())
    job = start()
    work(job)
    decide()
    fill(Leg.objects.get(position=gone))
    # Canceled by the venue: the leg gives its room back, the position stays.
    Leg.objects.filter(position=kept).update(settled_at=NOW)

    assert work(job, seconds=2) == Progress(closed=1, waiting=0, failed=1, opening=0)
    assert fresh(job).status == FlattenStatus.DONE_WITH_FAILURES


def test_a_close_that_is_denied_is_a_failure() -> None:
    PositionFactory()
    Market.objects.update(is_open=False)
    job = start()
    work(job)
    decide()

    assert work(job, seconds=2) == Progress(closed=0, waiting=0, failed=1, opening=0)


def test_what_is_opened_while_it_runs_is_closed_too() -> None:
    account = TraderFactory()
    opening = LegFactory(decision__signal__trader=account)
    job = start()
    assert work(job) == Progress(closed=0, waiting=0, failed=0, opening=1)

    Leg.objects.filter(pk=opening.pk).update(settled_at=NOW)
    late = PositionFactory(trader=account)
    assert work(job, seconds=2) == Progress(closed=0, waiting=1, failed=0, opening=0)
    decide(at=NOW + timedelta(seconds=2))

    assert closed_by() == [late.pk]


def test_several_positions_of_an_account_in_one_market_are_closed_once_each() -> None:
    account = TraderFactory()
    held = [PositionFactory(trader=account) for _ in range(3)]
    job = start()
    work(job)
    decide()

    assert closed_by() == [position.pk for position in held]
    assert work(job, seconds=2) == Progress(closed=0, waiting=3, failed=0, opening=0)


def test_a_close_of_somebody_else_that_is_under_way_is_waited_for() -> None:
    position = PositionFactory()
    theirs = LegFactory(
        decision__signal__trader=position.trader, action=Action.CLOSE, position=position, collateral_usdc=position.collateral_usdc
    )
    job = start()
    work(job)
    decide()
    assert Signal.objects.get(source_name="console").status == SignalStatus.DENIED
    assert work(job, seconds=2) == Progress(closed=0, waiting=1, failed=0, opening=0)

    fill(theirs)
    work(job, seconds=4)
    assert fresh(job).status == FlattenStatus.DONE


@pytest.mark.parametrize(("scope", "key"), [(HaltScope.USER, "7"), (HaltScope.SYMBOL, "eth-usd")])
def test_a_job_touches_its_scope_only(scope: HaltScope, key: str) -> None:
    mine, other = TraderFactory(tg_user_id=7), TraderFactory()
    ether, bitcoin = EtherMarketFactory(), MarketFactory()
    held = {(who, what): PositionFactory(trader=who, market=what) for who in (mine, other) for what in (ether, bitcoin)}

    work(start(scope=scope, key=key))
    decide()

    wanted = [(mine, ether), (mine, bitcoin)] if scope is HaltScope.USER else [(mine, ether), (other, ether)]
    assert closed_by() == sorted(held[each].pk for each in wanted)


@pytest.mark.parametrize(("key", "wanted"), [("copy", [0, 1]), ("copy:0xabc", [0]), ("default", [2]), ("web", [])])
def test_a_source_is_flattened_by_what_its_signals_opened(key: str, wanted: list[int]) -> None:
    copy = SourceFactory(name="copy", is_internal=True)
    openers = [
        SignalFactory(source=copy, source_name="copy:0xabc", decided=SignalStatus.APPROVED),
        SignalFactory(source=copy, source_name="copy:0xdef", decided=SignalStatus.APPROVED),
        # The default source answers for many names.
        SignalFactory(source_name="web", decided=SignalStatus.APPROVED),
    ]
    held = [PositionFactory(trader=each.trader, signal=each) for each in openers]
    for each in openers:
        LegFactory(decision__signal=each)

    job = start(scope=HaltScope.SOURCE, key=key)

    assert work(job) == Progress(closed=0, waiting=len(wanted), failed=0, opening=len(wanted))
    closes = Signal.objects.filter(source_name="console").order_by("pk")
    assert list(closes.values_list("position_id", flat=True)) == [held[number].pk for number in wanted]


def test_what_a_job_would_close_is_said_before() -> None:
    account = TraderFactory()
    PositionFactory(trader=account)
    PositionFactory(trader=account, market=EtherMarketFactory())
    PositionFactory()

    would = flattening.extent(**DESK, book=Book.LIVE)

    assert would == Extent(positions=3, accounts=2, collateral=Usdc.of(150))
    assert str(would) == "3 positions of 2 accounts, $150 of collateral"
    assert flattening.extent(**DESK, book=Book.PAPER) == Extent(positions=0, accounts=0, collateral=Usdc.zero())


def test_a_job_is_begun_once_with_its_trace_and_rings(django_capture_on_commit_callbacks: Any) -> None:
    PositionFactory()
    with django_capture_on_commit_callbacks(execute=True):
        job = start()
        assert start(person=SUPER_ADMIN, reason="again") == job

    assert doorbell.heard() == [("flatten.started", job.pk)]
    row = AuditRow.objects.get(action="flatten.start")
    assert (row.actor, row.reason, row.after) == (
        "rita",
        "a drill",
        {"positions": 1, "accounts": 1, "collateral_usdc": "50"},
    )
    assert audit_checks.verify().is_whole


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
@pytest.mark.parametrize("minutes", [None, 5])
def test_a_stricter_state_stays_and_loses_its_end(state: TradingState, minutes: int | None) -> None:
    until = None if minutes is None else NOW + timedelta(minutes=minutes)
    halts.set_state(**DESK, state=state, person=RISK, reason="before", at=NOW, until=until)

    start()

    held = Halt.objects.get(ended_at=None)
    assert (held.state, held.until) == (state, None)


def test_a_trader_flattens_his_own_account_and_no_other() -> None:
    mine, other = TraderFactory(tg_user_id=7), TraderFactory()
    his = trader(mine.tg_user_id)

    for key in ({"key": str(other.tg_user_id)}, {"scope": HaltScope.GLOBAL}):
        with pytest.raises(NotAllowed):
            start(person=his, **{"scope": HaltScope.USER, "key": ""} | key)
    assert start(person=his, scope=HaltScope.USER, key="7").started_by == "tom"
    assert Flatten.objects.count() == 1
    assert [state.key for state in halts.held(at=NOW)] == ["7"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"person": VIEWER}, NotAllowed),
        ({"reason": " "}, ReasonMissing),
        ({"scope": HaltScope.SOURCE, "key": ""}, halts.ScopeUnknown),
        ({"scope": HaltScope.SYMBOL, "key": "NO-USD"}, halts.ScopeUnknown),
    ],
)
def test_a_job_that_may_not_be_changes_nothing(said: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        start(**said)
    if error is halts.ScopeUnknown:
        with pytest.raises(error):
            flattening.extent(book=Book.LIVE, **said)
    assert not Flatten.objects.exists()
    assert not Halt.objects.exists()
    assert not AuditRow.objects.exists()


def test_the_counts_cost_the_same_however_many_there_are() -> None:
    def asked(number: int) -> int:
        for _ in range(number):
            PositionFactory()
        job = Flatten.objects.filter(status=FlattenStatus.RUNNING).first() or start()
        work(job)
        with CaptureQueriesContext(connection) as queries:
            flattening.progress(job)
        return len(queries)

    assert (asked(1), asked(9)) == (4, 4)


@pytest.fixture
def three(committed: None) -> list[Position]:
    """Two markets' positions of one account, and one of another."""
    account = TraderFactory()
    places = [(account, MarketFactory()), (account, EtherMarketFactory()), (TraderFactory(), MarketFactory())]
    return [PositionFactory(trader=who, market=what) for who, what in places]


def _whole_way() -> None:
    """Start if nobody has, work, decide, owe: what workers would do again after a death."""
    job = Flatten.objects.first() or start()
    work(job)
    decide()
    for pk in Trader.objects.values_list("pk", flat=True):
        orders.take_in(trader_id=pk, at=NOW)


def _points() -> Iterator[str]:
    reached: list[str] = []
    with failpoints.listening(reached.append):
        _whole_way()
    yield from reached


# On both sides of each commit, lanes included.
POINTS = 46
OF_A_FLATTEN = ("risk.flattening.start", "risk.flattening.count", "trading.signals.accept", "risk.decisions.")


@pytest.mark.django_db(transaction=True)
def test_the_way_of_a_flatten_reaches_every_write(three: list[Position]) -> None:
    points = list(_points())
    reached = {point for point in points if point.startswith(OF_A_FLATTEN)}

    assert len(points) == POINTS
    assert {point.partition(" ")[0] for point in reached} == {
        "risk.flattening.start",
        "risk.flattening.count",
        "trading.signals.accept",
        "risk.decisions.claim",
        "risk.decisions.decide",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(POINTS))
def test_a_death_at_any_point_closes_each_position_once(three: list[Position], number: int) -> None:
    seen = 0

    def die(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number + 1:
            raise Killed

    with suppress(Killed), failpoints.listening(die):
        _whole_way()
    # The dead worker's lanes are free once their leases have ended.
    Trader.objects.update(leased_until=None)
    for _ in range(2):
        _whole_way()

    assert Flatten.objects.count() == 1
    assert closed_by() == [position.pk for position in three]
    assert {status for (status,) in Signal.objects.values_list("status")} == {"APPROVED"}


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_close_each_position_once(three: list[Position]) -> None:
    job = start()

    def toil(_: int) -> None:
        try:
            work(job)
            decide()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(toil, range(12)))
    decide()

    assert closed_by() == [position.pk for position in three]
    assert Signal.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_with_another_id_each_time_a_death_would_ask_twice(three: list[Position], monkeypatch: pytest.MonkeyPatch) -> None:
    """The id is the position's: that is what keeps a second worker from a second close."""
    job = start()
    ids = iter(range(100))
    monkeypatch.setattr(flattening, "_signal_id", lambda *_: f"close:{next(ids)}")

    work(job)
    work(job)

    assert Signal.objects.count() > 3
