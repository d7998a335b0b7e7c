"""An order's way at the venue."""

import itertools

import pytest

from execution.domain.order import ENDED, LIFECYCLE, OrderStatus

MOVES = {
    "INITIALIZED": {"SUBMITTED", "ACCEPTED", "FILLED", "CANCELED", "DENIED", "EXPIRED"},
    "SUBMITTED": {"ACCEPTED", "REJECTED", "CANCELED"},
    "ACCEPTED": {"FILLED", "CANCELED", "SUBMITTED"},
    "FILLED": {"ACCEPTED"},
    "CANCELED": {"ACCEPTED"},
    "DENIED": set(),
    "REJECTED": set(),
    "EXPIRED": set(),
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(OrderStatus, OrderStatus)))
def test_an_order_moves_exactly_as_it_is_written(source: OrderStatus, target: OrderStatus) -> None:
    assert LIFECYCLE.allows(source=source, target=target) is (str(target) in MOVES[source])


def test_what_is_owed_nothing_is_what_isnt_on_its_way() -> None:
    assert set(OrderStatus) - ENDED == {"INITIALIZED", "SUBMITTED", "ACCEPTED"}


def test_only_a_reorganization_brings_an_ended_order_back_and_only_to_where_it_was() -> None:
    back = {(state, target) for state in ENDED for target in LIFECYCLE.moves[state]}

    assert back == {(OrderStatus.FILLED, OrderStatus.ACCEPTED), (OrderStatus.CANCELED, OrderStatus.ACCEPTED)}
