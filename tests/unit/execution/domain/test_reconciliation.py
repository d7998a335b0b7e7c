"""What differs, by its kind; nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from execution.domain import reconciliation
from execution.domain.reconciliation import (
    Balance,
    BookedAccount,
    DifferenceKind,
    OrderFacts,
    Place,
    PositionFacts,
    VenueAccount,
    limit_name,
    order_name,
)
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

PLACE = Place(pair_index=1, venue_index=0, opened_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
HELD = PositionFacts(
    place=PLACE,
    direction=Direction.LONG,
    collateral=Usdc.of(50),
    leverage=Leverage.of(3),
    entry=Price.of(60_000),
    take_profit=Price.of(70_000),
    stop_loss=Price.of(55_000),
)
ORDER = OrderFacts(name=order_name(7), escrow=Usdc.of(20))
OURS = BookedAccount(positions=(HELD,), orders=(ORDER,), max_gain={1: Percent.of(2500)})
THEIRS = VenueAccount(trader="0x1", balance=Usdc.of(100), allowance=Usdc.of(100), positions=(HELD,), orders=(ORDER,))


def kinds(ours: BookedAccount = OURS, theirs: VenueAccount = THEIRS) -> list[str]:
    return [each.kind for each in reconciliation.compare(ours, theirs, least_allowance=Usdc.of(100))]


def test_equal_sides_differ_in_nothing() -> None:
    assert kinds() == []


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"collateral": Usdc.of("50.000001")}, DifferenceKind.POSITION_AMOUNT),
        ({"leverage": Leverage.of("3.0000000001")}, DifferenceKind.POSITION_AMOUNT),
        ({"direction": Direction.SHORT}, DifferenceKind.POSITION_AMOUNT),
        ({"entry": Price.of("60000.0000000001")}, DifferenceKind.POSITION_ENTRY),
        ({"take_profit": Price.of(70_001)}, DifferenceKind.LEVELS),
        ({"take_profit": None}, DifferenceKind.LEVELS),
        ({"stop_loss": None}, DifferenceKind.LEVELS),
        ({"stop_loss": Price.of(55_001)}, DifferenceKind.LEVELS),
    ],
)
def test_one_unit_is_a_difference_of_its_kind(changed: dict[str, object], kind: DifferenceKind) -> None:
    assert kinds(theirs=replace(THEIRS, positions=(replace(HELD, **changed),))) == [kind]


def test_a_target_at_the_cap_of_the_gain_is_no_difference() -> None:
    # 25 times the collateral at 3x: 8 1/3 times the entry above it.
    drawn = replace(HELD, take_profit=Price.of(60_000) + Price.of(60_000).times_down(25, 3))

    assert kinds(theirs=replace(THEIRS, positions=(drawn,))) == []
    assert kinds(ours=replace(OURS, max_gain={}), theirs=replace(THEIRS, positions=(drawn,))) == ["LEVELS"]


def test_levels_that_nobody_told_us_are_not_compared() -> None:
    untold = replace(HELD, take_profit=None, stop_loss=None)

    assert kinds(ours=replace(OURS, positions=(untold,))) == []


def test_what_only_one_side_has_is_unknown_or_gone() -> None:
    moved = replace(HELD, place=replace(PLACE, venue_index=1))

    assert kinds(theirs=replace(THEIRS, positions=(moved,))) == ["POSITION_UNKNOWN", "POSITION_GONE"]
    assert kinds(theirs=replace(THEIRS, orders=(OrderFacts(name=limit_name(1, 0)),))) == ["ORDER_UNKNOWN", "ORDER_GONE"]


def test_a_slot_that_was_used_again_is_another_position() -> None:
    again = replace(HELD, place=replace(PLACE, opened_at=datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)))

    assert kinds(theirs=replace(THEIRS, positions=(again,))) == ["POSITION_UNKNOWN", "POSITION_GONE"]


def test_an_allowance_is_low_below_the_least() -> None:
    assert kinds(theirs=replace(THEIRS, allowance=Usdc.of(100) - Usdc(1))) == ["ALLOWANCE_LOW"]


def test_what_an_account_is_worth_is_wallet_escrow_and_collateral() -> None:
    assert THEIRS.worth == Usdc.of(170)


@pytest.mark.parametrize(
    ("worth", "earned", "flow"),
    [("170", "0", "0"), ("175", "5", "0"), ("175", "0", "5"), ("170", "5", "-5"), ("160", "-10", "0")],
)
def test_a_flow_is_what_no_fill_earned(worth: str, earned: str, flow: str) -> None:
    before = Balance(worth=Usdc.of(170), earned=Usdc.zero())

    assert Balance(worth=Usdc.of(worth), earned=Usdc.of(earned)).flow_since(before) == Usdc.of(flow)


@pytest.mark.parametrize(
    ("flow", "transferred", "is_missing"),
    [("-5", "-5", False), ("-5", "0", True), ("-5", "-6", False), ("5", "0", False), ("5", "10", True), ("0", "0", False)],
)
def test_money_is_missing_when_the_owner_did_not_move_it(flow: str, transferred: str, is_missing: bool) -> None:
    found = reconciliation.missing(Usdc.of(flow), transferred=Usdc.of(transferred))

    assert (found is not None) is is_missing
