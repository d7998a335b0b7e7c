"""A position is guarded from the fill that opens it, as its signal asked, measured from where it really was entered."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from tests.factories import NOW
from tests.factories.trading import FiringFactory, PositionFactory, ProtectionFactory, SignalFactory
from trading.domain.guarding import Fate
from trading.domain.position import Direction
from trading.domain.protection import AtMove, AtPrice, Protection, Target, as_json
from trading.domain.signal import SignalStatus
from trading.domain.units import Percent, Price
from trading.models import Firing, Position, Signal
from trading.models import Protection as ProtectionRow
from trading.services import protections

pytestmark = pytest.mark.django_db
FIVE = Protection(stop=AtMove(share=Percent.of(5)), time_stop=timedelta(hours=1))


@pytest.fixture(autouse=True)
def _write() -> Iterator[None]:
    with transaction.atomic():
        yield


def opened(signal: Signal | None, **said: object) -> Position:
    trader = {} if signal is None else {"trader": signal.trader, "market": signal.market}
    return PositionFactory(signal=signal, **{**trader, "opened_at": NOW, **said})


def guarded(guard: Protection) -> Signal:
    return SignalFactory(decided=SignalStatus.APPROVED, protection=as_json(guard))


def standing() -> ProtectionRow:
    return ProtectionRow.objects.standing().get()


def test_a_guard_is_measured_from_the_real_entry() -> None:
    signal = guarded(FIVE)

    protections.attach(opened(signal, entry_price=Price.of(60_100)), at=NOW)

    row = standing()
    assert (row.stop_price, row.stop_reason, row.deadline_at) == (Price.of(57_095), "SET", NOW + timedelta(hours=1))
    assert (row.acts_below, row.acts_above, row.placed_by) == (Price.of(57_095), None, signal.intent_key)


def test_two_plain_prices_are_a_guard() -> None:
    signal = SignalFactory(decided=SignalStatus.APPROVED, stop_loss=Price.of(58_000), take_profit=Price.of(63_000))

    protections.attach(opened(signal), at=NOW)

    assert (standing().acts_below, standing().acts_above) == (Price.of(58_000), Price.of(63_000))
    assert protections.asked(signal) == Protection(
        stop=AtPrice(price=Price.of(58_000)), targets=(Target(level=AtPrice(price=Price.of(63_000))),)
    )


def test_what_asked_for_nothing_and_what_is_not_ours_is_not_guarded() -> None:
    protections.attach(opened(SignalFactory(decided=SignalStatus.APPROVED)), at=NOW)
    protections.attach(opened(None), at=NOW)

    assert not ProtectionRow.objects.exists()


def test_the_same_fill_again_changes_nothing() -> None:
    position = opened(guarded(FIVE))
    for _ in range(2):
        protections.attach(position, at=NOW)

    assert ProtectionRow.objects.count() == 1


def test_a_reorganization_that_fills_at_another_price_measures_anew_what_stood() -> None:
    position = opened(guarded(FIVE))
    chosen = ProtectionFactory(position=position, placed_by="tom", wanted=Protection(stop=AtMove(share=Percent.of(2))))
    position.entry_price = Price.of(50_000)

    protections.attach(position, at=NOW)

    assert (standing().stop_price, standing().placed_by) == (Price.of(49_000), "tom")
    chosen.refresh_from_db()
    assert (chosen.replaced_at, chosen.replaced_by) == (NOW, protections.REORGANIZATION)


def test_another_order_in_the_same_slot_brings_its_own_guard() -> None:
    position = opened(guarded(FIVE))
    protections.attach(position, at=NOW)
    position.signal, position.direction = guarded(Protection(stop=AtMove(share=Percent.of(1)))), Direction.SHORT

    protections.attach(position, at=NOW)

    assert (standing().stop_price, standing().direction) == (Price.of(60_600), Direction.SHORT)


def test_what_was_filled_is_looked_at_again_when_a_fill_is_taken_back() -> None:
    filled = FiringFactory(fate=Fate.FILLED)
    resting = FiringFactory(fate=Fate.UNFILLED, retry_at=NOW)

    protections.doubt([filled.position_id, resting.position_id])

    assert list(Firing.objects.order_by("pk").values_list("fate", flat=True)) == [Fate.UNDER_WAY, Fate.UNFILLED]
    assert list(ProtectionRow.objects.order_by("pk").values_list("is_waiting", flat=True)) == [True, False]
