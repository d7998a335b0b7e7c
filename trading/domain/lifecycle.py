"""A state machine as one table of moves.

From the table come the guard in Python (`check`), the database's own rule
(`trading.models.lifecycle`), and the diagram in the docs (`mermaid`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from trading.domain.errors import Conflict

State = TypeVar("State", bound=StrEnum)


class IllegalMove(Conflict):
    """A row was asked to go where its table has no way."""

    code = "ILLEGAL_MOVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle(Generic[State]):
    """Which state may follow which. `moves` names every state, terminal ones with an empty tuple."""

    name: str
    initial: tuple[State, ...]
    moves: Mapping[State, tuple[State, ...]]

    @property
    def states(self) -> tuple[State, ...]:
        """Every state, in the table's order."""
        return tuple(self.moves)

    @property
    def terminal(self) -> frozenset[State]:
        """The states that nothing leaves."""
        return frozenset(state for state, following in self.moves.items() if not following)

    def allows(self, *, source: State, target: State) -> bool:
        """Whether the table has this move."""
        return target in self.moves[source]

    def check(self, *, source: State, target: State) -> None:
        """Pass if the table has this move.

        Raises:
            IllegalMove: if it hasn't.
        """
        if not self.allows(source=source, target=target):
            raise IllegalMove(f"{self.name} can't go from {source} to {target}", source=str(source), target=str(target))

    def mermaid(self) -> str:
        """The table as a state diagram."""
        lines = ["stateDiagram-v2"]
        lines += [f"    [*] --> {state}" for state in self.initial]
        lines += [f"    {source} --> {target}" for source, following in self.moves.items() for target in following]
        lines += [f"    {state} --> [*]" for state in self.moves if state in self.terminal]
        return "\n".join(lines) + "\n"
