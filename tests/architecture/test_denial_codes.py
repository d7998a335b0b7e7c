"""The page of the denial codes is what the enum says."""

import re
from enum import StrEnum
from io import StringIO

from django.core.management import call_command

from risk.domain.decision import Denial
from tests.architecture.tree import ROOT
from vanta_site import reference

PAGE = ROOT / "docs" / "reference" / "denials.md"


class Sample(StrEnum):
    PRICE_STALE = "PRICE_STALE"  # no price
    PRICE_ODD = "PRICE_ODD"


def test_the_page_is_written_from_the_enum() -> None:
    printed = StringIO()
    call_command("denials", stdout=printed)
    assert PAGE.read_text() == printed.getvalue() == reference.denials()


def test_every_code_says_why() -> None:
    assert [name for name, text in reference.meanings(Denial).items() if not text] == []


def test_a_code_without_a_reason_is_seen() -> None:
    assert reference.meanings(Sample) == {"PRICE_STALE": "no price", "PRICE_ODD": ""}


def test_a_code_is_its_own_name_category_first() -> None:
    assert [code for code in Denial if code.name != code.value or not re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code)] == []
