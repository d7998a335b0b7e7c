"""What becomes of a signal beside what its account holds: strategies turn, exits wait for what is on its way, watchers watch."""

from datetime import timedelta
from typing import Any

import pytest

from risk.domain.decision import Action, Denial
from risk.models import Decision, Leg
from risk.services import verdicts
from tests.factories import NOW
from tests.factories.risk import CloseLegFactory, LegFactory, PolicyFactory
from tests.factories.trading import (
    CloseSignalFactory,
    EtherMarketFactory,
    PositionFactory,
    SignalFactory,
    SourceFactory,
    TraderFactory,
)
from tests.fakes.accounts import Accounts
from tests.integration.risk.deciding import codes, drain, trader
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.protection import AtMove, AtPrice, AtReward, Protection, Target, as_json
from trading.domain.signal import Side, SignalStatus, SizeKind, Stance
from trading.domain.source import SourceMode
from trading.domain.units import Leverage, Multiple, Percent, Price, Usdc
from trading.models import Event, Signal, Trader

pytestmark = pytest.mark.django_db

__all__ = ["trader"]

SECOND = timedelta(seconds=1)


def turns(trader: Trader, side: Side = Side.LONG, kind: Stance = Stance.REACH, **changes: Any) -> Signal:
    return SignalFactory(trader=trader, side=side, stance=kind, **changes)


def short(trader: Trader, **changes: Any) -> Any:
    return PositionFactory(trader=trader, direction=Direction.SHORT, **changes)


def status(signal: Signal) -> str:
    return str(Signal.objects.get(pk=signal.pk).status)


def legs(signal: Signal) -> list[tuple[str, str]]:
    rows = Leg.objects.filter(decision__signal=signal).order_by("number")
    return [(leg.action, leg.direction) for leg in rows]


def _blind() -> Accounts:
    accounts = Accounts()
    accounts.is_down = True
    return accounts


# Strategies.


def test_a_reversal_closes_and_opens_in_one_decision(trader: Trader) -> None:
    held = short(trader)
    signal = turns(trader)

    drain(trader)

    close, opening = Leg.objects.filter(decision__signal=signal).order_by("number")
    assert (close.action, close.direction, close.position, close.expires_at) == (Action.CLOSE, "SHORT", held, signal.expires_at)
    assert (opening.action, opening.direction, opening.number) == (Action.OPEN, "LONG", 2)
    assert Decision.objects.get().code == ""


def test_the_second_alert_of_a_reversal_does_nothing(trader: Trader) -> None:
    short(trader)
    first, second = turns(trader), turns(trader)

    drain(trader)

    assert (legs(first), legs(second)) == ([("CLOSE", "SHORT"), ("OPEN", "LONG")], [])
    assert codes(trader) == ["", Denial.TARGET_REACHED]


def test_one_more_is_one_more(trader: Trader) -> None:
    PositionFactory(trader=trader)
    grows, more = turns(trader, kind=Stance.GROW), SignalFactory(trader=trader, side=Side.SAME)

    drain(trader)

    assert (legs(grows), legs(more)) == ([("OPEN", "LONG")], [("OPEN", "LONG")])


def test_the_other_side_of_what_is_held(trader: Trader) -> None:
    PositionFactory(trader=trader)
    signal = turns(trader, side=Side.OPPOSITE)

    drain(trader)

    assert legs(signal) == [("CLOSE", "LONG"), ("OPEN", "SHORT")]


@pytest.mark.parametrize("side", [Side.SAME, Side.OPPOSITE])
def test_with_nothing_held_there_is_no_side(trader: Trader, side: Side) -> None:
    PositionFactory(trader=trader, market=EtherMarketFactory())
    PositionFactory(trader=trader, book=Book.PAPER)
    signal = SignalFactory(trader=trader, side=side)

    drain(trader)

    assert (status(signal), codes(trader)) == (SignalStatus.DENIED, [Denial.NOTHING_HELD])


def test_a_reversal_waits_for_what_is_on_its_way_to_the_other_side(trader: Trader) -> None:
    coming = LegFactory(decision__signal__trader=trader, direction=Direction.SHORT)
    signal = turns(trader)

    drain(trader)
    assert (status(signal), Decision.objects.filter(signal=signal).count()) == (SignalStatus.RECEIVED, 0)
    waiting = Signal.objects.get(pk=signal.pk)
    assert (waiting.next_action_at, waiting.attempts) == (NOW + SECOND, 0)

    coming.settled_at = NOW + SECOND
    coming.save(update_fields=["settled_at"])
    short(trader)
    drain(trader, at=NOW + SECOND)
    assert legs(signal) == [("CLOSE", "SHORT"), ("OPEN", "LONG")]


def test_a_reversal_that_waited_too_long_still_leaves(trader: Trader) -> None:
    short(trader)
    signal, plain = turns(trader), SignalFactory(trader=trader)

    drain(trader, at=NOW + timedelta(seconds=61))

    assert (status(signal), legs(signal)) == (SignalStatus.APPROVED, [("CLOSE", "SHORT")])
    assert (status(plain), legs(plain)) == (SignalStatus.EXPIRED, [])


def test_while_nobody_sees_the_account_a_reversal_leaves_only(trader: Trader) -> None:
    short(trader)
    signal = turns(trader)

    drain(trader, accounts=_blind())

    assert legs(signal) == [("CLOSE", "SHORT")]
    assert Decision.objects.get(signal=signal).code == ""
    unseen = "only the exit: Nobody can say what the account has: only what is opposite is closed"
    assert Decision.objects.get(signal=signal).message == unseen


def test_while_nobody_sees_the_account_a_strategy_that_only_enters_waits(trader: Trader) -> None:
    signal = turns(trader)

    drain(trader, accounts=_blind())
    assert status(signal) == SignalStatus.RECEIVED

    drain(trader, at=NOW + SECOND)
    assert legs(signal) == [("OPEN", "LONG")]


def test_what_the_close_brings_sizes_what_is_opened(trader: Trader) -> None:
    short(trader, collateral_usdc=Usdc.of(40))
    share = {"collateral_usdc": None, "size_kind": SizeKind.BALANCE_PCT, "size_pct": Percent.of(50)}
    signal = turns(trader, **share)

    drain(trader, accounts=Accounts(balance=Usdc.of(100)))

    # Half of 100, and of 40 less the fee of closing 120 of notional at 0.045 %.
    opening = Leg.objects.get(decision__signal=signal, action=Action.OPEN)
    assert opening.collateral_usdc == Usdc.of("69.973")


# Exits.


def test_an_exit_waits_for_what_is_on_its_way_and_then_closes_it(trader: Trader) -> None:
    coming = LegFactory(decision__signal__trader=trader)
    signal = CloseSignalFactory(trader=trader, signaled_at=NOW)

    drain(trader)
    assert status(signal) == SignalStatus.RECEIVED

    coming.settled_at = NOW + SECOND
    coming.save(update_fields=["settled_at"])
    opener = coming.decision.signal
    held = PositionFactory(trader=trader, signal=opener, opened_at=NOW + SECOND)
    drain(trader, at=NOW + 2 * SECOND)
    assert list(Leg.objects.filter(decision__signal=signal).values_list("position_id", flat=True)) == [held.pk]


def test_an_exit_waits_for_no_more_than_two_minutes(trader: Trader) -> None:
    LegFactory(decision__signal__trader=trader)
    signal = CloseSignalFactory(trader=trader)

    drain(trader, at=NOW + verdicts.LONGEST_WAIT)
    assert status(signal) == SignalStatus.RECEIVED
    drain(trader, at=NOW + verdicts.LONGEST_WAIT + SECOND)
    assert codes(trader)[-1] == Denial.NOTHING_TO_CLOSE


def test_an_exit_does_not_wait_while_there_is_something_to_close(trader: Trader) -> None:
    LegFactory(decision__signal__trader=trader)
    PositionFactory(trader=trader)
    signal = CloseSignalFactory(trader=trader)

    drain(trader)

    assert legs(signal) == [("CLOSE", "LONG")]


def test_an_exit_never_closes_what_was_asked_for_after_it(trader: Trader) -> None:
    signal = CloseSignalFactory(trader=trader)
    younger = SignalFactory(trader=trader, decided=SignalStatus.APPROVED, received_at=NOW + SECOND)
    PositionFactory(trader=trader, signal=younger, opened_at=NOW + SECOND)

    drain(trader, at=NOW + 3 * SECOND)

    assert (status(signal), codes(trader)) == (SignalStatus.DENIED, [Denial.NOTHING_TO_CLOSE])


def test_an_exit_that_says_when_it_was_meant_never_closes_what_was_meant_later(trader: Trader) -> None:
    meant_later = SignalFactory(trader=trader, decided=SignalStatus.APPROVED, signaled_at=NOW)
    PositionFactory(trader=trader, signal=meant_later, opened_at=NOW)
    late, timely = (CloseSignalFactory(trader=trader, signaled_at=at) for at in (NOW - SECOND, NOW))

    drain(trader)

    assert (status(late), status(timely)) == (SignalStatus.DENIED, SignalStatus.APPROVED)


@pytest.mark.parametrize(("closes", "closed"), [("LONG", ["LONG"]), ("SHORT", ["SHORT"]), ("", ["LONG", "SHORT"])])
def test_an_exit_of_one_side_leaves_the_other(trader: Trader, closes: str, closed: list[str]) -> None:
    PositionFactory(trader=trader)
    short(trader)
    signal = CloseSignalFactory(trader=trader, closes=closes)

    drain(trader)

    assert sorted(direction for _, direction in legs(signal)) == closed


# Levels.


def test_levels_become_prices_at_the_price_of_the_decision(trader: Trader) -> None:
    one = AtMove(share=Percent.of(1))
    guard = Protection(stop=one, targets=(Target(level=AtReward(multiple=Multiple.of(2))),))
    signal = SignalFactory(trader=trader, protection=as_json(guard))

    drain(trader)

    leg = Leg.objects.get(decision__signal=signal)
    assert (leg.stop_loss, leg.take_profit) == (Price.of(59_400), Price.of(61_200))


@pytest.mark.parametrize(("last", "held"), [(50, Price.of(61_200)), (49, None)])
def test_the_venue_holds_the_furthest_target_of_a_ladder_that_closes_all(trader: Trader, last: int, held: Price | None) -> None:
    half = Target(level=AtMove(share=Percent.of(1)), close_share=Percent.of(50))
    rest = Target(level=AtMove(share=Percent.of(2)), close_share=Percent.of(last))
    signal = SignalFactory(trader=trader, protection=as_json(Protection(targets=(half, rest))))

    drain(trader)

    assert Leg.objects.get(decision__signal=signal).take_profit == held


def test_a_ladder_with_one_rung_where_the_position_loses_is_refused(trader: Trader) -> None:
    half = Target(level=AtPrice(price=Price.of(59_999)), close_share=Percent.of(50))
    rest = Target(level=AtMove(share=Percent.of(2)), close_share=Percent.of(50))
    SignalFactory(trader=trader, protection=as_json(Protection(targets=(rest, half))))

    drain(trader)

    assert codes(trader) == [Denial.TARGET_ON_WRONG_SIDE]


# Sources that only watch, that ask first, and that take back.


def test_a_watching_source_is_judged_and_owes_nothing(trader: Trader) -> None:
    watcher = SourceFactory(name="watcher", mode=SourceMode.OBSERVE)
    PolicyFactory(max_opens_per_minute=1)
    first, second = (SignalFactory(trader=trader, source=watcher) for _ in range(2))
    loud = SignalFactory(trader=trader, source=watcher, leverage_x=Leverage.of(1_000))

    drain(trader)

    # What it only watches takes nobody's room.
    assert [status(each) for each in (first, second, loud)] == ["OBSERVED", "OBSERVED", "DENIED"]
    assert (Leg.objects.count(), Decision.objects.filter(verdict="APPROVED").count()) == (0, 2)
    assert Event.objects.filter(kind="decision.observed").count() == 2


def test_nobody_said_yes_in_time(trader: Trader) -> None:
    signal = SignalFactory(trader=trader, status=SignalStatus.AWAITING, expires_at=NOW, next_action_at=NOW)

    drain(trader, at=NOW + SECOND)

    assert (status(signal), Decision.objects.count()) == (SignalStatus.EXPIRED, 0)
    assert Event.objects.get(subject=f"signal:{signal.pk}").kind == "signal.expired"


def test_a_source_takes_back_what_waits_of_its_own_in_the_market(trader: Trader) -> None:
    chart = SourceFactory(name="chart", mode=SourceMode.APPROVE)
    later = {"status": SignalStatus.AWAITING, "next_action_at": NOW + timedelta(minutes=5)}
    mine = SignalFactory(trader=trader, source=chart, **later)
    others = [
        SignalFactory(trader=trader, source=SourceFactory(name="another"), **later),
        SignalFactory(trader=trader, source=chart, market=EtherMarketFactory(), **later),
        SignalFactory(trader=TraderFactory(), source=chart, **later),
    ]
    cancel = CloseSignalFactory(trader=trader, source=chart, side=Side.CANCEL)
    after = SignalFactory(trader=trader, source=chart, **later)

    drain(trader)

    assert (status(mine), status(cancel)) == (SignalStatus.WITHDRAWN, SignalStatus.APPROVED)
    assert {status(each) for each in (*others, after)} == {SignalStatus.AWAITING}
    assert Event.objects.get(kind="signal.withdrawn").facts == {"by": cancel.intent_key}


def test_there_may_be_nothing_to_take_back(trader: Trader) -> None:
    cancel = CloseSignalFactory(trader=trader, side=Side.CANCEL)

    drain(trader)

    assert (status(cancel), codes(trader)) == (SignalStatus.DENIED, [Denial.NOTHING_TO_CANCEL])


# The order of legs.


def test_an_open_is_due_only_once_the_closes_before_it_have_ended(trader: Trader) -> None:
    close = CloseLegFactory(decision__signal__trader=trader)
    opening = LegFactory(decision=close.decision, number=2)
    alone = LegFactory(decision__signal__trader=trader)

    assert list(Leg.objects.due(at=NOW)) == [close, alone]

    Leg.objects.filter(pk=close.pk).update(settled_at=NOW, next_action_at=None)
    assert list(Leg.objects.due(at=NOW)) == [opening, alone]
