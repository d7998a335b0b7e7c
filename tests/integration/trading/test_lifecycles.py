"""PostgreSQL itself keeps the state machines: every pair of states, in raw SQL."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction

from tests.integration.trading.machines import MACHINES, force, row_in, state_of, way_to

pytestmark = pytest.mark.django_db

STATES = [(name, state) for name, machine in MACHINES.items() for state in machine.lifecycle.states]
PAIRS = [(name, source, target) for name, source in STATES for target in MACHINES[name].lifecycle.states]
MOVES = [pair for pair in PAIRS if MACHINES[pair[0]].lifecycle.allows(source=pair[1], target=pair[2])]
ILLEGAL = [pair for pair in PAIRS if pair not in MOVES and pair[1] != pair[2]]


@pytest.mark.parametrize(("name", "source", "target"), MOVES)
def test_a_move_of_the_table_passes(name: str, source: Any, target: Any) -> None:
    machine = MACHINES[name]
    row = row_in(machine, source)
    force(machine, row, target)
    assert state_of(machine, row) == target


@pytest.mark.parametrize(("name", "state"), STATES)
def test_staying_is_no_move(name: str, state: Any) -> None:
    machine = MACHINES[name]
    row = row_in(machine, state)
    force(machine, row, state)
    assert state_of(machine, row) == state


@pytest.mark.parametrize(("name", "source", "target"), ILLEGAL)
def test_any_other_move_is_refused(name: str, source: Any, target: Any) -> None:
    machine = MACHINES[name]
    row = row_in(machine, source)
    with pytest.raises(IntegrityError, match=f"can not go from {source} to {target}"), transaction.atomic():
        force(machine, row, target)
    assert state_of(machine, row) == source


@pytest.mark.parametrize(("name", "state"), [pair for pair in STATES if pair[1] not in MACHINES[pair[0]].lifecycle.initial])
def test_a_row_is_born_in_no_other_state(name: str, state: Any) -> None:
    machine = MACHINES[name]
    born = machine.make()
    columns = [field.column for field in machine.model._meta.concrete_fields if not field.primary_key]
    overrides = {"status": str(state)} | machine.columns(state)
    chosen = ", ".join("%s" if column in overrides else column for column in columns)
    values = [overrides[column] for column in columns if column in overrides]
    with (
        pytest.raises(IntegrityError, match=f"a {name} is not born {state}"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO {machine.table} ({', '.join(columns)}) SELECT {chosen} FROM {machine.table} WHERE id = %s",
            [*values, born.pk],
        )
    assert machine.model.objects.count() == 1


@pytest.mark.parametrize("name", MACHINES)
def test_an_unknown_state_is_refused(name: str) -> None:
    machine = MACHINES[name]
    row = machine.make()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {machine.table} SET status = 'LIMBO' WHERE id = %s", [row.pk])


@pytest.mark.parametrize("name", MACHINES)
def test_a_row_never_vanishes(name: str) -> None:
    machine = MACHINES[name]
    row = machine.make()
    with pytest.raises(Error, match="Cannot delete rows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {machine.table} WHERE id = %s", [row.pk])
    assert machine.model.objects.filter(pk=row.pk).exists()


FIRST_ILLEGAL = {name: (source, target) for name, source, target in reversed(ILLEGAL)}


@pytest.mark.parametrize("name", FIRST_ILLEGAL)
def test_without_its_trigger_an_illegal_move_passes(name: str) -> None:
    """So that the tests above can fail."""
    machine = MACHINES[name]
    source, target = FIRST_ILLEGAL[name]
    row = row_in(machine, source)
    with connection.cursor() as cursor:
        # PostgreSQL alters no table that still has checks to make at the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {machine.table} DISABLE TRIGGER {machine.trigger}")
    force(machine, row, target)
    assert state_of(machine, row) == target


def test_only_a_position_may_go_anywhere() -> None:
    assert set(MACHINES) - set(FIRST_ILLEGAL) == {"position"}


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_state_can_be_reached(name: str, state: Any) -> None:
    lifecycle = MACHINES[name].lifecycle
    way = way_to(lifecycle, state)
    assert (way[0] in lifecycle.initial, way[-1]) == (True, state)
    assert all(lifecycle.allows(source=source, target=target) for source, target in pairwise(way))


def test_every_pair_was_tried() -> None:
    assert len(PAIRS) == sum(len(machine.lifecycle.states) ** 2 for machine in MACHINES.values())
    assert len(MOVES) + len(ILLEGAL) + len(STATES) == len(PAIRS)
