"""The page of who may do what is what the table says."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.architecture.tree import ROOT
from trading.domain import people
from trading.domain.people import MAY, Act, Role
from vanta_site import reference

PAGE = ROOT / "docs" / "reference" / "acts.md"


def test_the_page_is_written_from_the_table() -> None:
    printed = StringIO()
    call_command("acts", stdout=printed)
    assert PAGE.read_text() == printed.getvalue() == reference.acts()


@pytest.mark.parametrize("words", [Act, Role])
def test_every_act_and_role_says_what_it_means(words: type[Act] | type[Role]) -> None:
    assert [name for name, text in reference.meanings(words).items() if not text] == []


def test_another_table_makes_another_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(people.MAY, Role.VIEWER, MAY[Role.VIEWER] | {Act.GO_LIVE})

    assert reference.acts() != PAGE.read_text()
    assert "| `GO_LIVE` | let transactions be signed | ✓ |  |  | ✓ | ! |" in reference.acts()
