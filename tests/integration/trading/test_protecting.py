"""The watch over what is guarded: what is reached fires once, whoever passes and wherever he dies."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from risk.models import Leg
from tests.factories import NOW
from tests.factories.risk import CloseLegFactory, DecisionFactory
from tests.factories.trading import (
    CloseSignalFactory,
    EtherMarketFactory,
    PositionFactory,
    ProtectionFactory,
    QuoteFactory,
)
from tests.integration.trading.passes import STOP, later, look, price_is, protection_source
from trading.domain.guarding import Cause, Fate
from trading.domain.mode import Book
from trading.domain.position import Direction, PositionStatus
from trading.domain.protection import AtMove, Protection, Target, Trail
from trading.domain.signal import SignalStatus
from trading.domain.units import Percent, Price, Usdc
from trading.models import Event, Firing, LastPrice, ModeState, Position, Quote, Signal
from trading.models import Protection as ProtectionRow
from trading.services import apart

__all__ = ["protection_source"]

pytestmark = pytest.mark.django_db
LADDER = Protection(
    stop=AtMove(share=Percent.of(5)),
    targets=(
        Target(level=AtMove(share=Percent.of(2)), close_share=Percent.of(50)),
        Target(level=AtMove(share=Percent.of(10)), close_share=Percent.of(50)),
    ),
    breakeven_after=1,
)
TRAIL = Protection(trail=Trail(activate=Percent.of(3), distance=Percent.of(2)))


def fresh(row: ProtectionRow) -> ProtectionRow:
    return ProtectionRow.objects.select_related("position").get(pk=row.pk)


def decide(firing: Firing, status: SignalStatus) -> None:
    """The account's lane decides what a firing became."""
    Signal.objects.filter(pk=firing.signal_id).update(status=status, decided_at=NOW, next_action_at=None)


def approve(firing: Firing, *, collateral: Usdc | None = None) -> Leg:
    """It is approved, and its leg is under way."""
    decide(firing, SignalStatus.APPROVED)
    assert firing.signal is not None
    held = collateral or firing.reduce_usdc or firing.position.collateral_usdc
    decision = DecisionFactory(signal=firing.signal)
    return CloseLegFactory(decision=decision, position=firing.position, collateral_usdc=held)


def leave_out(leg: Leg) -> None:
    """No order ever comes of it."""
    Leg.objects.filter(pk=leg.pk).update(settled_at=NOW, next_action_at=None, left_out="ATTEMPTS_EXHAUSTED")


def break_guard(row: ProtectionRow) -> None:
    """Nothing can be made of it anymore."""
    ProtectionRow.objects.filter(pk=row.pk).update(guard={"stop": "nonsense"})


def test_one_guard_that_raises_keeps_no_other_from_its_stop() -> None:
    rows = [ProtectionFactory() for _ in range(5)]
    break_guard(rows[2])

    assert look(STOP) == 4
    assert sorted(Firing.objects.values_list("protection", flat=True)) == [row.pk for row in rows if row != rows[2]]


def test_without_the_halves_one_guard_that_raises_ends_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "work", lambda step, rows: step(rows))
    break_guard([ProtectionFactory() for _ in range(3)][1])

    with pytest.raises(KeyError):
        look(STOP)


def test_a_stop_that_is_reached_becomes_one_close_of_its_position() -> None:
    row = ProtectionFactory()

    assert (look(STOP + 1), look(STOP), look(STOP - 1)) == (0, 1, 0)

    firing, signal = Firing.objects.get(), Signal.objects.get(source_name__startswith="protection:")
    assert (firing.cause, firing.level_price, firing.price, firing.reduce_usdc) == (
        Cause.STOP,
        Price.of(STOP),
        Price.of(STOP),
        None,
    )
    assert firing.signal == signal
    assert (signal.source_name, signal.signal_id) == (f"protection:{row.position_id}", f"{row.position_id}:{row.pk}:stop:1")
    assert (signal.side, signal.position_id, signal.book, signal.reduce_usdc) == ("CLOSE", row.position_id, "LIVE", None)
    assert Event.objects.filter(kind="protection.fired").count() == 1


@pytest.mark.parametrize("status", [SignalStatus.DENIED, SignalStatus.SET_ASIDE])
def test_a_close_that_was_not_allowed_is_tried_again_later_and_not_before(status: SignalStatus) -> None:
    ProtectionFactory()
    look(STOP)
    decide(Firing.objects.get(), status)

    assert [look(seconds=seconds) for seconds in (1, 2, 2.999)] == [0, 0, 0]
    first = Firing.objects.get()
    assert (first.fate, first.retry_at) == (Fate.UNFILLED, later(3))
    assert look(seconds=3) == 1

    second = Firing.objects.latest("pk")
    assert (second.attempt, second.signal and second.signal.signal_id) == (2, f"{first}"[:-1] + "2")
    decide(second, status)
    look(seconds=4)
    assert Firing.objects.latest("pk").retry_at == later(8)


def test_no_second_close_goes_out_while_the_first_is_under_way() -> None:
    ProtectionFactory()
    look(STOP)
    leg = approve(Firing.objects.get())
    assert [look(seconds=seconds) for seconds in (1, 60, 3_000)] == [0, 0, 0]

    leave_out(leg)

    assert (look(seconds=3_001), look(seconds=3_003)) == (0, 1)


def test_a_price_that_went_back_is_judged_anew_before_another_attempt() -> None:
    ProtectionFactory()
    look(STOP)
    decide(Firing.objects.get(), SignalStatus.DENIED)
    look(seconds=1)

    assert look(STOP + 1, seconds=10) == 0
    assert look(STOP, seconds=11) == 1


def test_what_somebody_else_is_closing_is_not_fired_at() -> None:
    row = ProtectionFactory()
    theirs = CloseLegFactory(
        decision__signal__trader=row.position.trader, position=row.position, collateral_usdc=row.position.collateral_usdc
    )
    assert look(STOP) == 0

    leave_out(theirs)
    assert look(seconds=1) == 1


def test_an_exit_that_waits_for_its_decision_is_let_go_first() -> None:
    row = ProtectionFactory()
    theirs = CloseSignalFactory(trader=row.position.trader, position=row.position)

    assert look(STOP) == 0
    Signal.objects.filter(pk=theirs.pk).update(status=SignalStatus.DENIED, decided_at=NOW, next_action_at=None)
    assert look(seconds=1) == 1


def test_a_stop_closes_what_a_target_leaves() -> None:
    row = ProtectionFactory(wanted=replace(LADDER, breakeven_after=None))
    assert look(61_200) == 1
    target = Firing.objects.get()
    assert (target.level, target.reduce_usdc) == ("tp1", Usdc.of(25))
    approve(target)

    assert look(STOP, seconds=1) == 1

    assert list(Firing.objects.values_list("level", "reduce_usdc")) == [("tp1", Usdc.of(25)), ("stop", None)]
    assert fresh(row).targets_hit == 1


def test_a_ladder_closes_its_shares_and_the_last_rung_the_rest() -> None:
    row = ProtectionFactory(wanted=LADDER)
    look(61_200)
    leg = approve(Firing.objects.get())
    Leg.objects.filter(pk=leg.pk).update(settled_at=NOW)
    Firing.objects.update(fate=Fate.FILLED)
    # A little more is gone than was asked for, as fees take it.
    Position.objects.update(collateral_usdc=Usdc.of("24.9"))
    assert (fresh(row).stop_price, fresh(row).stop_reason) == (Price.of(60_066), "BREAKEVEN")

    assert look(66_000, seconds=5) == 1

    assert Firing.objects.latest("pk").reduce_usdc is None


def test_a_target_whose_close_came_to_nothing_is_not_hit() -> None:
    row = ProtectionFactory(wanted=LADDER)
    look(61_200)
    assert fresh(row).targets_hit == 1
    decide(Firing.objects.get(), SignalStatus.DENIED)

    look(61_000, seconds=1)

    assert fresh(row).targets_hit == 0
    assert look(61_200, seconds=5) == 1
    # What was moved stays moved: a stop never goes back.
    assert fresh(row).stop_reason == "BREAKEVEN"


def test_a_target_that_rests_keeps_no_stop_from_firing() -> None:
    ProtectionFactory(wanted=replace(LADDER, breakeven_after=None))
    look(61_200)
    decide(Firing.objects.get(), SignalStatus.DENIED)
    look(61_200, seconds=1)

    assert look(STOP, seconds=1.5) == 1


def test_rungs_that_are_jumped_over_are_one_close() -> None:
    ProtectionFactory(wanted=LADDER)

    assert look(70_000) == 1
    assert list(Firing.objects.values_list("level", "reduce_usdc")) == [("tp2", None)]


def test_a_stop_follows_the_price_and_the_journal_says_when_it_began() -> None:
    row = ProtectionFactory(wanted=TRAIL)

    seen = [(look(price, seconds=second), fresh(row).stop_price) for second, price in enumerate((61_799, 61_800, 63_000, 62_000))]

    assert seen == [(0, None), (0, Price.of(60_600)), (0, Price.of(61_800)), (0, Price.of(61_800))]
    assert [event.facts["why"] for event in Event.objects.filter(kind="protection.moved")] == ["TRAIL"]
    assert look(61_800, seconds=9) == 1


def test_time_runs_out_whatever_the_price() -> None:
    position = PositionFactory(opened_at=NOW)
    ProtectionFactory(position=position, wanted=Protection(time_stop=timedelta(minutes=1)))

    assert (look(60_000, seconds=59.9), look(60_000, seconds=60)) == (0, 1)
    assert Firing.objects.get().cause == Cause.TIME


def test_a_pause_of_automation_rests_everything_but_the_stop() -> None:
    ProtectionFactory(wanted=LADDER)
    ProtectionFactory(wanted=TRAIL)
    ProtectionFactory(position__opened_at=NOW, wanted=Protection(time_stop=timedelta(seconds=1)))
    ModeState.objects.update(automation_paused=True)

    assert (look(70_000, seconds=5), look(STOP, seconds=6)) == (0, 1)

    assert list(Firing.objects.values_list("cause", flat=True)) == [Cause.STOP]
    assert not ProtectionRow.objects.exclude(best_price=None).exists()
    ModeState.objects.update(automation_paused=False)
    assert look(60_000, seconds=7) == 1


@pytest.mark.parametrize(("seconds", "fired"), [(30, 1), (30.001, 0)])
def test_without_agreement_a_stop_goes_by_the_last_known_price(seconds: float, fired: int) -> None:
    market = ProtectionFactory().position.market
    LastPrice.objects.create(market=market, price=Price.of(STOP), published_at=NOW, sources=["a"], agreed_at=NOW)
    Quote.objects.all().delete()
    QuoteFactory(market=market, published_at=NOW, max_age=timedelta(seconds=1))

    assert look(seconds=seconds) == fired


def test_without_agreement_no_target_fires_and_no_stop_follows() -> None:
    market = ProtectionFactory(wanted=LADDER).position.market
    ProtectionFactory(wanted=TRAIL)
    LastPrice.objects.create(market=market, price=Price.of(70_000), published_at=NOW, sources=["a"], agreed_at=NOW)
    QuoteFactory(market=market, published_at=NOW, max_age=timedelta(seconds=1))

    assert look(seconds=10) == 0
    assert not ProtectionRow.objects.exclude(best_price=None).exists()


def test_where_the_venue_holds_the_level_its_keeper_has_its_time_first() -> None:
    row = ProtectionFactory(position__stop_loss=Price.of(STOP))

    assert [look(STOP, seconds=seconds) for seconds in (0, 1, 4.999, 5)] == [0, 0, 0, 1]
    assert fresh(row).held_since is None


def test_the_keepers_time_begins_anew_when_the_price_comes_back() -> None:
    ProtectionFactory(position__stop_loss=Price.of(STOP))

    assert [look(price, seconds=seconds) for seconds, price in ((0, STOP), (4, 58_000), (6, STOP), (10, STOP), (11, STOP))] == [
        *(0, 0, 0, 0),
        1,
    ]


@pytest.mark.parametrize(("book", "stop_loss"), [(Book.PAPER, STOP), (Book.LIVE, STOP - 1), (Book.LIVE, None)])
def test_nobody_waits_for_a_keeper_that_has_nothing_to_do(book: Book, stop_loss: int | None) -> None:
    held = None if stop_loss is None else Price.of(stop_loss)
    ProtectionFactory(position__book=book, position__stop_loss=held)

    assert look(STOP) == 1


@pytest.mark.parametrize("status", [PositionStatus.CLOSED, PositionStatus.VOID])
def test_what_is_no_more_is_not_fired_at_and_what_comes_back_is_guarded_again(status: PositionStatus) -> None:
    row = ProtectionFactory()
    Position.objects.update(status=status, collateral_usdc=Usdc.zero(), closed_at=NOW)
    assert look(STOP) == 0

    Position.objects.update(status=PositionStatus.OPEN, collateral_usdc=Usdc.of(50), closed_at=None)
    assert look(STOP) == 1
    assert fresh(row).is_waiting


def test_markets_do_not_mix() -> None:
    ether = EtherMarketFactory()
    ProtectionFactory(position__market=ether, position__entry_price=Price.of(3_000))
    QuoteFactory(market=ether, price=Price.of(3_000), max_age=timedelta(hours=1))
    QuoteFactory(price=Price.of(1), max_age=timedelta(hours=1))

    assert look() == 0


@pytest.mark.parametrize(("price", "queries"), [(60_000, 4), (61_900, 12)])
def test_a_pass_costs_the_same_queries_for_one_and_for_many(price: int, queries: int) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            look()
        return len([each for each in seen.captured_queries if "SAVEPOINT" not in each["sql"]])

    price_is(price)
    for _ in range(2):
        ProtectionFactory(wanted=TRAIL)
    few = cost()
    ProtectionRow.objects.update(replaced_at=NOW, replaced_by="a test")
    for _ in range(20):
        ProtectionFactory(wanted=TRAIL)

    assert (few, cost()) == (queries, queries)


@pytest.mark.parametrize("direction", Direction)
def test_shorts_are_guarded_in_the_mirror(direction: Direction) -> None:
    ProtectionFactory(position__direction=direction)
    far = {Direction.LONG: STOP, Direction.SHORT: 63_000}[direction]
    near = {Direction.LONG: STOP + 1, Direction.SHORT: 62_999}[direction]

    assert (look(near), look(far)) == (0, 1)
