"""The page of the state machines is what the tables say."""

from io import StringIO

import pytest
from django.core.management import call_command

from execution.domain.intent import IntentStatus
from tests.architecture.tree import ROOT
from trading.domain.lifecycle import Lifecycle
from trading.domain.signal import LIFECYCLE, SignalStatus
from vanta_site import reference

PAGE = ROOT / "docs" / "reference" / "lifecycles.md"


def test_the_page_is_written_from_the_tables() -> None:
    printed = StringIO()
    call_command("lifecycles", stdout=printed)
    assert PAGE.read_text() == printed.getvalue() == reference.lifecycles()


@pytest.mark.parametrize("name", ["Signal", "Order", "Intent", "Position", "Flatten", "Channel", "Delivery"])
def test_each_machine_has_its_part(name: str) -> None:
    assert f"\n## {name}\n\n```mermaid\nstateDiagram-v2\n" in PAGE.read_text()


def test_a_table_with_another_move_makes_another_page() -> None:
    changed = Lifecycle(
        name="signal", initial=LIFECYCLE.initial, moves=dict(LIFECYCLE.moves) | {SignalStatus.DENIED: (SignalStatus.RECEIVED,)}
    )
    page = reference.lifecycles((changed, *reference.LIFECYCLES[1:]))
    assert page != PAGE.read_text()
    assert "    DENIED --> RECEIVED\n" in page


def test_every_state_of_an_intent_says_what_it_means() -> None:
    assert [name for name, text in reference.meanings(IntentStatus).items() if not text] == []
