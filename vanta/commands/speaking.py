"""How commands speak: tables and lines for people, one JSON document a line for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from vanta.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The desk that a command speaks to, and how it says what it heard."""

    desk: Desk
    as_json: bool

    def say(self, line: str, document: Mapping[str, Any]) -> None:
        """One thing: a line for people, its document for programs."""
        click.echo(json.dumps(document) if self.as_json else line)

    def show(self, heads: Sequence[str], rows: Iterable[Sequence[str]], documents: Iterable[Mapping[str, Any]]) -> None:
        """Many things: a table for people, a document a line for programs."""
        if self.as_json:
            for document in documents:
                click.echo(json.dumps(document))
            return
        table = Table(*heads, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        # A pipe has no width of its own, and whoever reads it wants whole words.
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


_WIDE = 240


def facts(said: Mapping[str, Any]) -> str:
    """What an event says, without what it leaves empty."""
    return " ".join(f"{name}={value}" for name, value in said.items() if value not in ("", None))
