"""Mutants that no test can tell from the original, each with the reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.mutation.mutator import Mutation

FILE = Path(__file__).with_name("equivalent.txt")


@dataclass(frozen=True, slots=True)
class Equivalents:
    """What `equivalent.txt` lists: `path function  before -> after  # reason`, one a line."""

    reasons: dict[str, str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Those of a text; a line that begins with `#` is a remark.

        Raises:
            ValueError: if a line gives no reason.
        """
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        split = {key.strip(): reason.strip() for key, _, reason in (line.partition("  # ") for line in lines)}
        if silent := [key for key, reason in split.items() if not reason]:
            raise ValueError(f"no reason is given: {silent[0]}")
        return cls(split)

    def has(self, path: str, mutation: Mutation) -> bool:
        """Whether a change is listed."""
        return key(path, mutation) in self.reasons


def key(path: str, mutation: Mutation) -> str:
    """How a change is written in the list: without its line, which moves."""
    return f"{path} {mutation.function}  {mutation.before} -> {mutation.after}"
