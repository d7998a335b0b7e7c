"""The page of the API is what the URLs and the scopes say."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.architecture.tree import ROOT
from trading.domain import token
from trading.domain.people import Act
from trading.domain.token import Scope
from vanta_site import reference

PAGE = ROOT / "docs" / "reference" / "api.md"


def test_the_page_is_written_from_the_urls() -> None:
    printed = StringIO()
    call_command("api", stdout=printed)
    assert PAGE.read_text() == printed.getvalue() == reference.api()


def test_other_scopes_make_another_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(token.ACTS, Scope.TRADE, token.ACTS[Scope.TRADE] | {Act.GO_LIVE})

    assert "| `TRADE` | `TRADE`, `GO_LIVE` |" in reference.api()
