"""The page of the public events is what the table says, and the table names what the desk writes down."""

import ast
import re
from io import StringIO

import pytest
from django.core.management import call_command

from bots.domain.announcement import ANNOUNCEMENTS
from execution.domain import intent, order
from tests.architecture.tree import PRODUCT, ROOT, modules
from vanta_site import reference

PAGE = ROOT / "docs" / "reference" / "events.md"
# Written as `intent.{state}` and `order.{state}`.
MADE = {f"{table.name}.{state.lower()}" for table in (intent.LIFECYCLE, order.LIFECYCLE) for state in table.states}


def words() -> set[str]:
    """Every text constant of the product that has an event's form."""
    trees = [ast.parse(path.read_text()) for path in modules(*PRODUCT) if path.name != "announcement.py"]
    texts = {
        node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if re.fullmatch(r"[a-z]+\.[a-z_]+", text)}


def test_the_page_is_written_from_the_table() -> None:
    printed = StringIO()
    call_command("events", stdout=printed)
    assert PAGE.read_text() == printed.getvalue() == reference.events()


def test_no_event_stands_there_twice() -> None:
    kinds = [each.kind for each in ANNOUNCEMENTS]
    assert sorted(kinds) == sorted(set(kinds))


def test_every_public_event_is_one_that_the_desk_writes_down() -> None:
    written = words() | MADE | {"sender.quarantined", "channel.ping"}
    assert [each.kind for each in ANNOUNCEMENTS if each.kind not in written] == []


@pytest.mark.parametrize("kind", ["order.vanished", "signal.recieved"])
def test_an_event_that_nobody_writes_is_seen(kind: str) -> None:
    assert kind not in words() | MADE
