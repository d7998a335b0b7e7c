"""Writes, pieces and steps keep out of each other's way."""

import pytest
from django.db import transaction

from tests.factories.trading import MarketFactory
from trading import failpoints
from trading.kinds import WrongKind, held_locks, is_in_transaction, piece, refuse_in_transaction, statement, step, write
from trading.locks import enter
from trading.models import Market

pytestmark = pytest.mark.django_db


@write
def write_one() -> bool:
    return is_in_transaction()


@write
def write_inside_write() -> bool:
    return write_one()


@write
def write_with_piece() -> bool:
    return piece_of_it()


@write
def write_and_fail() -> None:
    MarketFactory()
    raise LookupError("after the row")


@write
def write_with_step() -> bool:
    return step_one()


@write
def write_with_lock() -> tuple[int, ...]:
    enter("intent")
    return held_locks.get()


@statement
def say_one() -> bool:
    return is_in_transaction()


@write
def write_with_statement() -> bool:
    return say_one()


@piece
def piece_of_it() -> bool:
    return is_in_transaction()


@step
def step_one() -> bool:
    return is_in_transaction()


@step
def step_that_writes() -> bool:
    return write_one()


@step
def step_that_leaves_one_open(block: transaction.Atomic) -> None:
    block.__enter__()


def test_a_write_opens_a_transaction_and_closes_it() -> None:
    assert write_one() is True
    assert is_in_transaction() is False


def test_a_write_inside_a_write_raises() -> None:
    with pytest.raises(RuntimeError, match="durable"):
        write_inside_write()


def test_a_write_inside_any_transaction_raises() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        write_one()


def test_a_write_that_raises_leaves_nothing() -> None:
    with pytest.raises(LookupError, match="after the row"):
        write_and_fail()
    assert Market.objects.count() == 0


def test_a_piece_outside_a_write_raises() -> None:
    with pytest.raises(WrongKind, match=r"^piece_of_it is a piece of a write: call it inside one$"):
        piece_of_it()


def test_a_piece_inside_a_write_runs() -> None:
    assert write_with_piece() is True


def test_a_step_runs_and_calls_writes() -> None:
    assert step_one() is False
    assert step_that_writes() is True


def test_a_step_inside_a_transaction_raises() -> None:
    with pytest.raises(WrongKind, match=r"^step_one talks to the outside: no transaction may be open$"):
        write_with_step()


def test_nothing_outside_is_asked_with_a_transaction_open() -> None:
    refuse_in_transaction("a node")
    with transaction.atomic(), pytest.raises(WrongKind, match=r"^a node talks"):
        refuse_in_transaction("a node")


def test_a_write_starts_and_ends_without_locks() -> None:
    assert write_with_lock() == (3,)
    assert write_with_lock() == (3,)
    assert held_locks.get() == ()


def test_a_step_that_leaves_a_transaction_open_is_found_out() -> None:
    block = transaction.atomic()
    with pytest.raises(WrongKind, match=r"^step_that_leaves_one_open"):
        step_that_leaves_one_open(block)
    block.__exit__(None, None, None)


def test_a_statement_is_its_own_transaction_and_has_a_point_on_both_sides() -> None:
    reached: list[str] = []
    with failpoints.listening(reached.append):
        assert say_one() is False
    assert [point.rpartition("say_one ")[2] for point in reached] == ["before commit", "committed"]


def test_a_statement_inside_a_transaction_raises() -> None:
    with pytest.raises(WrongKind, match=r"^say_one"):
        write_with_statement()
