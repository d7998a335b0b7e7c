"""A state machine as one table."""

from enum import StrEnum

import pytest

from trading.domain.lifecycle import IllegalMove, Lifecycle


class Door(StrEnum):
    SHUT = "SHUT"
    OPEN = "OPEN"
    WALLED = "WALLED"


LIFECYCLE = Lifecycle(
    name="door",
    initial=(Door.SHUT,),
    moves={Door.SHUT: (Door.OPEN, Door.WALLED), Door.OPEN: (Door.SHUT,), Door.WALLED: ()},
)


@pytest.mark.parametrize("source", Door)
@pytest.mark.parametrize("target", Door)
def test_only_a_move_of_the_table_passes(source: Door, target: Door) -> None:
    is_move = (source, target) in {(Door.SHUT, Door.OPEN), (Door.SHUT, Door.WALLED), (Door.OPEN, Door.SHUT)}
    assert LIFECYCLE.allows(source=source, target=target) is is_move
    if is_move:
        LIFECYCLE.check(source=source, target=target)
    else:
        with pytest.raises(IllegalMove):
            LIFECYCLE.check(source=source, target=target)


def test_an_illegal_move_names_both_ends() -> None:
    with pytest.raises(IllegalMove, match=r"^door can't go from WALLED to OPEN$") as refusal:
        LIFECYCLE.check(source=Door.WALLED, target=Door.OPEN)
    assert refusal.value.code == "ILLEGAL_MOVE"
    assert refusal.value.facts == {"source": "WALLED", "target": "OPEN"}


def test_a_state_that_nothing_leaves_is_terminal() -> None:
    assert LIFECYCLE.terminal == {Door.WALLED}
    assert LIFECYCLE.states == (Door.SHUT, Door.OPEN, Door.WALLED)


def test_the_diagram_shows_births_moves_and_ends() -> None:
    assert LIFECYCLE.mermaid() == (
        "stateDiagram-v2\n    [*] --> SHUT\n    SHUT --> OPEN\n    SHUT --> WALLED\n    OPEN --> SHUT\n    WALLED --> [*]\n"
    )
