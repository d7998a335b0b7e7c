"""A position is the fold of its canonical fills, whatever order they arrive in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW
from tests.factories.trading import MarketFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind, Held, PositionStatus
from trading.domain.units import Leverage, Price, Usdc
from trading.kinds import write
from trading.models import Event, Fill, Position
from trading.services import positions
from trading.services.positions import Execution, Slot

pytestmark = pytest.mark.django_db

OPENING = Execution(
    kind=FillKind.OPEN,
    direction=Direction.LONG,
    price=Price.of(60_000),
    collateral=Usdc.of("49.9"),
    leverage=Leverage.of(3),
    fee=Usdc.of("0.1"),
    payout=Usdc.zero(),
    chain_id=31_337,
    tx_hash="0xopen",
    log_index=0,
    block_number=10,
    block_hash="0xblock10",
    filled_at=NOW,
)


def closing(collateral: str, payout: str, *, block: int = 11, kind: FillKind = FillKind.CLOSE, **changes: Any) -> Execution:
    filled_at = NOW + timedelta(minutes=block - 10)
    return replace(
        OPENING, kind=kind, collateral=Usdc.of(collateral), payout=Usdc.of(payout), price=Price.of(61_000), fee=Usdc.zero(),
        tx_hash=f"0xclose{block}", block_number=block, block_hash=f"0xblock{block}", filled_at=filled_at, **changes,
    )  # fmt: skip


@pytest.fixture
def slot() -> Slot:
    return Slot(trader_id=TraderFactory().pk, market_id=MarketFactory().pk, book=Book.LIVE, venue_index=0, opened_at=NOW)


@write
def opened(slot: Slot) -> Position:
    position = positions.opened(OPENING, slot=slot, signal_id=None)
    positions.record(OPENING, position=position, trace_id="t")
    return position


@write
def record(execution: Execution, position: Position) -> Fill | None:
    return positions.record(execution, position=position, trace_id="t")


@write
def orphan(position: Position, tx_hash: str) -> None:
    Fill.objects.filter(tx_hash=tx_hash).update(is_canonical=False)
    positions.rebuild(position, since=[])


def amounts(position: Position) -> tuple[str, str, str, Any]:
    position.refresh_from_db()
    return position.status, str(position.collateral_usdc), str(position.realised_pnl_usdc), position.closed_at


def test_an_opening_execution_makes_a_position_with_its_fill(slot: Slot) -> None:
    position = opened(slot)
    assert amounts(position) == ("OPEN", "49.9", "0", None)
    assert (position.entry_price, position.leverage_x, position.direction) == (Price.of(60_000), Leverage.of(3), "LONG")
    fill = Fill.objects.get()
    assert (fill.kind, fill.fee_usdc, fill.realised_pnl_usdc, fill.book) == ("OPEN", Usdc.of("0.1"), Usdc.zero(), "LIVE")
    event = Event.objects.get()
    assert (event.kind, event.subject, event.facts["kind"]) == ("position.filled", f"position:{position.pk}", "OPEN")


def test_the_same_execution_again_changes_nothing(slot: Slot) -> None:
    position = opened(slot)
    assert record(OPENING, position) == Fill.objects.get()
    assert amounts(position) == ("OPEN", "49.9", "0", None)
    assert (Position.objects.count(), Fill.objects.count(), Event.objects.count()) == (1, 1, 1)


def test_a_slot_used_again_is_another_position(slot: Slot) -> None:
    first = opened(slot)
    second = opened(replace(slot, opened_at=NOW + timedelta(hours=1)))
    assert first != second


def test_a_partial_close_realises_its_part(slot: Slot) -> None:
    position = opened(slot)
    fill = record(closing("20", "21.5"), position)
    assert fill is not None
    assert fill.realised_pnl_usdc == Usdc.of("1.5")
    assert amounts(position) == ("OPEN", "29.9", "1.5", None)


@pytest.mark.parametrize("kind", [kind for kind in FillKind if kind.closes])
def test_the_last_close_closes(slot: Slot, kind: FillKind) -> None:
    position = opened(slot)
    record(closing("20", "21.5"), position)
    record(closing("29.9", "0", block=12, kind=kind), position)
    assert amounts(position) == ("CLOSED", "0", "-28.4", NOW + timedelta(minutes=2))


def test_a_close_is_told_in_its_parts(slot: Slot) -> None:
    position = opened(slot)
    costs = {"fee": Usdc.of("0.03"), "rollover": Usdc.of("0.02"), "funding": Usdc.of("-0.01")}
    fill = record(replace(closing("20", "21.5"), **costs), position)
    assert fill is not None
    parts = (fill.price_pnl_usdc, fill.fee_usdc, fill.rollover_usdc, fill.funding_usdc, fill.realised_pnl_usdc)
    assert parts == (Usdc.of("1.54"), Usdc.of("0.03"), Usdc.of("0.02"), Usdc.of("-0.01"), Usdc.of("1.5"))


@pytest.mark.parametrize("kind", [FillKind.INCREASE, FillKind.MARGIN])
def test_what_resizes_sets_the_amounts_and_realises_its_costs(slot: Slot, kind: FillKind) -> None:
    position = opened(slot)
    after = Held(collateral=Usdc.of(60), leverage=Leverage.of("2.5"), entry=Price.of(60_100))
    costs = {"rollover": Usdc.of("0.3"), "funding": Usdc.of("0.2")}
    fill = record(replace(closing("10.6", "0", kind=kind), after=after, **costs), position)
    assert fill is not None
    assert (fill.price_pnl_usdc, fill.realised_pnl_usdc) == (Usdc.zero(), Usdc.of("-0.5"))
    assert amounts(position) == ("OPEN", "60", "-0.5", None)
    assert (position.entry_price, position.leverage_x) == (after.entry, after.leverage)


def test_closes_may_arrive_in_any_order(slot: Slot) -> None:
    position = opened(slot)
    record(closing("29.9", "0", block=12), position)
    record(closing("20", "21.5", block=11), position)
    assert amounts(position) == ("CLOSED", "0", "-28.4", NOW + timedelta(minutes=2))


def test_a_closing_fill_taken_back_opens_the_position_again(slot: Slot) -> None:
    position = opened(slot)
    record(closing("49.9", "50"), position)
    orphan(position, "0xclose11")
    assert amounts(position) == ("OPEN", "49.9", "0", None)
    assert record(closing("49.9", "50"), position) == Fill.objects.get(kind="CLOSE")
    assert amounts(position) == ("CLOSED", "0", "0.1", NOW + timedelta(minutes=1))


def test_an_opening_fill_taken_back_voids_the_position_until_it_returns(slot: Slot) -> None:
    position = opened(slot)
    orphan(position, "0xopen")
    assert amounts(position) == (PositionStatus.VOID, "0", "0", NOW)
    again = replace(OPENING, block_number=11, block_hash="0xblock11", filled_at=NOW + timedelta(seconds=2))
    assert record(again, position) is not None
    assert amounts(position) == ("OPEN", "49.9", "0", None)
    assert Fill.objects.count() == 2
